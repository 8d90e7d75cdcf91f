# fm_script(NAME SCRIPT SECONDS [LABELS ...]): a shell script run by ctest in the project's own folder, with the build
# folder as its argument; exit code 77 means skipped.
function(fm_script name script seconds)
  cmake_parse_arguments(S "" "" "LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${CMAKE_BINARY_DIR} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${seconds} SKIP_RETURN_CODE 77 LABELS "${S_LABELS}")
endfunction()

fm_script(kill kill.sh 7200)
fm_script(queries queries.sh 300)
fm_script(local_query local_query.sh 300 LABELS plain-only)
fm_script(arrows arrows.sh 300 LABELS plain-only)
fm_script(format format.sh 120 LABELS plain-only)
fm_script(real_input real_input.sh 300 LABELS plain-only)
fm_script(package package.sh 300 LABELS plain-only)
fm_script(operate operate.sh 300)
fm_script(bad_input bad_input.sh 300)
fm_script(hostile hostile.sh 600)
fm_script(roles roles.sh 120)
