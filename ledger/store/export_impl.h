/* What the export's files share. */
#ifndef FIRMIANA_LEDGER_EXPORT_IMPL_H
#define FIRMIANA_LEDGER_EXPORT_IMPL_H

#include "ledger/proof/bundle.h"
#include "ledger/store/chain_impl.h"
#include "ledger/store/export.h"

/* FM_E_CONFLICT unless the newest state is the one that report->size is about. */
fm_status ledger_export_at_head(struct ledger_reader *reader,
                                const struct ledger_export_report *report,
                                struct base_err *err) FM_CHECK;

/* Leaves and state lines of a compact bundle, in a snapshot that the reader holds. report->size is
 * set. */
fm_status ledger_export_compact(struct ledger_reader *reader, const struct ledger_bundle_sink *sink,
                                const struct ledger_export_options *options,
                                struct ledger_export_report *report, struct base_err *err) FM_CHECK;

#endif
