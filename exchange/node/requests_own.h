/* The handlers of requests.c's table, and what they share. */
#ifndef FIRMIANA_EXCHANGE_NODE_REQUESTS_OWN_H
#define FIRMIANA_EXCHANGE_NODE_REQUESTS_OWN_H

#include "exchange/node/node_own.h"

void node_reply_error(const struct node_reply *reply, struct base_err *err);
/* value is used up; NULL answers "out of memory". */
void node_reply_value(const struct node_reply *reply, json_t *value);
/* Signs with the node's key, submits, answers when it is final. body is used up. */
void node_submit_and_reply(struct node *node, enum ledger_tx_type type, json_t *body,
                           const struct node_reply *reply);
/* The same, with members to be added to the answer; both are used up. */
void node_submit_and_tell(struct node *node, enum ledger_tx_type type, json_t *body, json_t *more,
                          const struct node_reply *reply);

/* The contract whose id begins with these digits (8 at least). The caller releases *out. */
fm_status node_contract(struct node *node, struct contract *out, char id_hex[65],
                        const json_t *request, struct base_err *err) FM_CHECK;

/* What the ledger's state has as KIND/ID, ID beginning with the digits (8 at least) that the
 * request's member KIND gives: "query", "lottery". *value is the caller's. */
fm_status node_find_by_digits(struct node *node, json_t **value, char id_hex[65], const char *kind,
                              const json_t *request, struct base_err *err) FM_CHECK;

/* A query's whole id, of its first 8 digits or more. */
fm_status node_query_full_id(struct node *node, char out[65], const char *digits,
                             struct base_err *err) FM_CHECK;

void node_request_audit_opening(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_audit_export(struct node *node, const json_t *request,
                               const struct node_reply *reply);
void node_request_audit_list(struct node *node, const json_t *request,
                             const struct node_reply *reply);
void node_request_audit_query(struct node *node, const json_t *request,
                              const struct node_reply *reply);
void node_request_audit_subject(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_consent_attest(struct node *node, const json_t *request,
                                 const struct node_reply *reply);
void node_request_consent_mandate(struct node *node, const json_t *request,
                                  const struct node_reply *reply);
void node_request_consent_withdraw(struct node *node, const json_t *request,
                                   const struct node_reply *reply);
void node_request_credential_anchored(struct node *node, const json_t *request,
                                      const struct node_reply *reply);
void node_request_credential_issue(struct node *node, const json_t *request,
                                   const struct node_reply *reply);
void node_request_document_sign(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_copy_drop(struct node *node, const json_t *request,
                            const struct node_reply *reply);
void node_request_copy_get(struct node *node, const json_t *request,
                           const struct node_reply *reply);
void node_request_copy_keep(struct node *node, const json_t *request,
                            const struct node_reply *reply);
void node_request_copy_list(struct node *node, const json_t *request,
                            const struct node_reply *reply);
void node_request_copy_show(struct node *node, const json_t *request,
                            const struct node_reply *reply);
void node_request_contract_check(struct node *node, const json_t *request,
                                 const struct node_reply *reply);
void node_request_query_explain(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_contract_list(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_contract_draft(struct node *node, const json_t *request,
                                 const struct node_reply *reply);
void node_request_dataset_list(struct node *node, const json_t *request,
                               const struct node_reply *reply);
void node_request_dataset_publish(struct node *node, const json_t *request,
                                  const struct node_reply *reply);
void node_request_did_resolve(struct node *node, const json_t *request,
                              const struct node_reply *reply);
void node_request_key_import(struct node *node, const json_t *request,
                             const struct node_reply *reply);
void node_request_key_list(struct node *node, const json_t *request,
                           const struct node_reply *reply);
void node_request_officer_authorize(struct node *node, const json_t *request,
                                    const struct node_reply *reply);
void node_request_query_answer(struct node *node, const json_t *request,
                               const struct node_reply *reply);
void node_request_query_show(struct node *node, const json_t *request,
                             const struct node_reply *reply);
void node_request_query_list(struct node *node, const json_t *request,
                             const struct node_reply *reply);

void node_request_dataset_history(struct node *node, const json_t *request,
                                  const struct node_reply *reply);
void node_request_dataset_forget(struct node *node, const json_t *request,
                                 const struct node_reply *reply);
void node_request_dataset_prove(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_lottery_list(struct node *node, const json_t *request,
                               const struct node_reply *reply);
void node_request_lottery_show(struct node *node, const json_t *request,
                               const struct node_reply *reply);
void node_request_governance_list(struct node *node, const json_t *request,
                                  const struct node_reply *reply);
void node_request_epoch_approve(struct node *node, const json_t *request,
                                const struct node_reply *reply);
void node_request_epoch_show(struct node *node, const json_t *request,
                             const struct node_reply *reply);
/* {"next_epoch", "pledged", "proposal"?: {...}}: requests_epoch.c. NULL: memory. */
json_t *node_handover(const struct node *node);
/* What was proven of validators, as the ledger's state has it: [{"id", and the members of
 * misbehavior/ID}], new. */
fm_status node_misbehavior(const struct node *node, json_t **out, struct base_err *err) FM_CHECK;

/* node_status.c */
void node_request_status(struct node *node, const json_t *request, const struct node_reply *reply);

#endif
