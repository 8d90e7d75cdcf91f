/* A certificate as one HTML page that prints well: no script, nothing from elsewhere. It is for
 * people; what proves is the certificate's own file, whose digest the page names. */
#ifndef FIRMIANA_EXCHANGE_EVIDENCE_PAGE_H
#define FIRMIANA_EXCHANGE_EVIDENCE_PAGE_H

#include "ledger/verify/certificate.h"

void evidence_page(struct base_buf *out, const struct ledger_certificate_report *report);

#endif
