# The Debian package: cpack -G DEB --config build/plain/CPackConfig.cmake
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME firmiana)
set(CPACK_PACKAGE_CONTACT "Firmiana maintainers <maintainers@firmiana.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "privacy-preserving joint queries with an authority and a proof")
set(CPACK_PACKAGE_DESCRIPTION "Banks, credit agencies and a regulator ask questions of each other's private
tables. Secure multi-party computation answers them; no row leaves home in the
clear; and nothing is computed that a ledger, shared by all members, did not
first allow and does not afterwards record.
.
This package has the node with its command line (firmiana), the offline
verifier of exported trails (firmiana-verify), a systemd unit, and a demo
(firmiana demo).")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/exchange/packaging/compress-manual.cmake)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
  WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, sqlite3") # the latter: firmiana demo asks it for the right answers
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libp11-kit0) # loaded for keys in tokens
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "prometheus, bash-completion")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/exchange/packaging/postinst ${PROJECT_SOURCE_DIR}/exchange/packaging/prerm
  ${PROJECT_SOURCE_DIR}/exchange/packaging/postrm)

# What Debian's policy wants beside the programs.
set(doc ${CMAKE_BINARY_DIR}/packaging)
file(MAKE_DIRECTORY ${doc})
find_program(GZIP gzip REQUIRED)
execute_process(COMMAND ${GZIP} -9nc ${PROJECT_SOURCE_DIR}/exchange/packaging/changelog OUTPUT_FILE ${doc}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)
install(FILES exchange/packaging/copyright README.md ${doc}/changelog.gz DESTINATION share/doc/firmiana)
install(FILES exchange/packaging/lintian-overrides DESTINATION share/lintian/overrides RENAME firmiana)
include(CPack)
