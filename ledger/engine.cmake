# ledger_engine: one sequencer, followers that execute and cosign. No sockets, no threads, no clock.
fm_room(ledger_engine ledger
  SOURCES engine_ids.c engine_message.c engine_outbox.c engine_pool.c
  LINKS ledger)

fm_test(test_engine_parts SOURCES test_engine_parts.c LINKS ledger_engine)
