# ledger_engine: one sequencer, followers that execute and cosign. No sockets, no threads, no clock.
fm_room(ledger_engine ledger
  SOURCES engine.c engine_epoch.c engine_final.c engine_follow.c engine_fork.c engine_walk.c engine_ids.c engine_message.c engine_outbox.c
    engine_pool.c engine_roster.c engine_sequence.c engine_step.c engine_submit.c engine_succeed.c
  LINKS ledger)

fm_test(test_engine_parts SOURCES test_engine_parts.c LINKS ledger_engine)

# Whole consortia in virtual time. --wrap lets a test fail the replica's writes.
foreach(test test_engine test_engine_lies test_engine_days test_engine_epoch)
  fm_test(${test} SOURCES ${test}.c test_engine_world.c test_engine_matter.c LINKS ledger_engine)
  target_link_options(${test} PRIVATE -Wl,--wrap=ledger_chain_execute -Wl,--wrap=ledger_chain_cosign)
endforeach()

# Every moment instead of every sixth, and a hundred times the chance.
add_test(NAME test_engine_epoch_full COMMAND test_engine_epoch)
set_tests_properties(test_engine_epoch_full PROPERTIES TIMEOUT 36000 LABELS full ENVIRONMENT FIRMIANA_FULL=1)
set_tests_properties(test_engine_epoch PROPERTIES ENVIRONMENT FIRMIANA_FULL=0)
