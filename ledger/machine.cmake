# ledger: blocks in, hashes out. The machine is pure; SQLite holds what it says.
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)

fm_room(ledger ledger
  SOURCES block.c chain.c chain_cosign.c chain_proof.c chain_read.c chain_rollback.c chain_summary.c export.c
    seal.c store.c upkeep_check.c upkeep_backup.c upkeep_replay.c upkeep_prune.c
    store_open.c sum_vfs.c store_sql.c store_final.c store_log.c store_state.c store_undo.c machine.c machine_admit.c machine_documents.c machine_genesis.c machine_members.c
    machine_rule.c machine_view.c
    rule_consent.c rule_contract.c rule_contract_shape.c rule_data.c rule_did.c rule_member.c
    rule_epoch.c rule_query.c rule_receipt.c
  LINKS ledger_proof PkgConfig::SQLITE Threads::Threads)

# A consortium in memory, for the machine's tests.
add_library(ledger_test_town STATIC test_town.c test_town_bodies.c test_memory.c test_invariants.c)
target_link_libraries(ledger_test_town PUBLIC ledger PkgConfig::CMOCKA)

fm_test(test_machine SOURCES test_machine.c test_machine_members.c test_machine_contracts.c
  test_machine_queries.c test_machine_refund.c test_machine_epoch.c test_epoch_bodies.c
  LINKS ledger_test_town)
target_sources(test_machine PRIVATE test_machine_consents.c)
fm_test(test_chain SOURCES test_chain.c LINKS ledger_test_town)
fm_test(test_chain_final SOURCES test_chain_final.c LINKS ledger_test_town)

# Runs for a moment in the suite, so that it does not rot.
fm_test(bench_chain SOURCES bench_chain.c LINKS ledger_test_town ARGS 1000 250)
fm_test(test_chain_faults SOURCES test_chain_faults.c LINKS ledger_test_town)
# Power cuts: a sample of the moments by default, every one under --full.
add_library(ledger_test_disk STATIC test_disk.c test_disk_record.c)
target_link_libraries(ledger_test_disk PUBLIC PkgConfig::SQLITE PkgConfig::CMOCKA)
fm_expose(ledger_test_disk ledger)
fm_test(test_chain_crash SOURCES test_chain_crash.c LINKS ledger_test_town ledger_test_disk)
set_tests_properties(test_chain_crash PROPERTIES ENVIRONMENT FIRMIANA_FULL=0)
add_test(NAME test_chain_crash_full COMMAND test_chain_crash WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(test_chain_crash_full PROPERTIES TIMEOUT 36000 LABELS full ENVIRONMENT FIRMIANA_FULL=1)
fm_test(test_chain_damage SOURCES test_chain_damage.c LINKS ledger_test_town)
fm_test(test_upkeep SOURCES test_upkeep.c test_upkeep_past.c LINKS ledger_test_town ledger_test_disk)
fm_test(test_upkeep_prune SOURCES test_upkeep_prune.c test_upkeep_past.c LINKS ledger_test_town ledger_test_disk)
fm_test(test_chain_random SOURCES test_chain_random.c LINKS ledger_test_town)
