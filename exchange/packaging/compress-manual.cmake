# Before cpack packs: Debian wants manual pages compressed, without names and times inside.
file(GLOB pages ${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man*/*.[0-9])
if(NOT pages)
  message(FATAL_ERROR "no manual pages in ${CPACK_TEMPORARY_DIRECTORY}")
endif()
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)
