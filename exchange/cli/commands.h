/* Every command of the program: main.c lists them, one cmd_*.c per subject defines them. */
#ifndef FIRMIANA_EXCHANGE_CLI_COMMANDS_H
#define FIRMIANA_EXCHANGE_CLI_COMMANDS_H

#include "exchange/cli/args.h"

extern const struct cli_command cli_init, cli_ledger_init; /* cmd_home.c */
extern const struct cli_command cli_ledger_backup, cli_ledger_restore, cli_ledger_check,
    cli_ledger_replay;                            /* cmd_ledger.c */
extern const struct cli_command cli_ledger_prune; /* cmd_ledger_prune.c */
extern const struct cli_command cli_epoch_show, cli_epoch_propose, cli_epoch_approve,
    cli_evidence;                               /* cmd_epoch.c */
extern const struct cli_command cli_node;       /* cmd_node.c */
extern const struct cli_command cli_node_check; /* cmd_node_check.c */
extern const struct cli_command cli_status;     /* cmd_status.c */
extern const struct cli_command cli_dataset_import, cli_dataset_publish, cli_dataset_list,
    cli_demo_data;                                    /* cmd_dataset.c */
extern const struct cli_command cli_dataset_describe; /* cmd_describe.c */
extern const struct cli_command cli_contract_draft, cli_contract_propose, cli_contract_list,
    cli_contract_show;                                                      /* cmd_contract.c */
extern const struct cli_command cli_key_deal, cli_key_import, cli_key_list; /* cmd_key.c */
extern const struct cli_command cli_explain;                                /* cmd_explain.c */
extern const struct cli_command cli_contract_authorize, cli_contract_revoke;
extern const struct cli_command cli_consent_create, cli_consent_revoke,
    cli_consent_relay; /* cmd_consent.c */
extern const struct cli_command cli_query_run, cli_query_list, cli_query_show,
    cli_query_answer;                                                /* cmd_query.c */
extern const struct cli_command cli_audit_list, cli_audit_export;    /* cmd_audit.c */
extern const struct cli_command cli_audit_subject, cli_audit_query;  /* cmd_subject.c */
extern const struct cli_command cli_audit_opening, cli_audit_opened; /* cmd_opening.c */
extern const struct cli_command cli_consent_attest, cli_consent_withdraw, cli_consent_key,
    cli_consent_mandate; /* cmd_attest.c */
extern const struct cli_command cli_credential_key, cli_credential_issue,
    cli_credential_list; /* cmd_credential.c */
extern const struct cli_command cli_credential_claims, cli_credential_present,
    cli_credential_schema, cli_credential_publish,
    cli_credential_verify; /* cmd_credential_show.c */
extern const struct cli_command cli_wallet_create, cli_wallet_recover, cli_wallet_show,
    cli_wallet_phrase, cli_wallet_passphrase; /* cmd_wallet.c */
extern const struct cli_command cli_wallet_trust, cli_wallet_did, cli_wallet_grant,
    cli_wallet_revoke, cli_wallet_consents, cli_wallet_find; /* cmd_wallet_consent.c */
extern const struct cli_command cli_wallet_history;          /* cmd_wallet_history.c */
extern const struct cli_command cli_wallet_receive, cli_wallet_credentials, cli_wallet_present,
    cli_wallet_remove;                                              /* cmd_wallet_credential.c */
extern const struct cli_command cli_wallet_export, cli_wallet_scan; /* cmd_wallet_export.c */
extern const struct cli_command cli_officer_create, cli_officer_list, cli_officer_add,
    cli_officer_remove, cli_officer_sign; /* cmd_officer.c */
extern const struct cli_command cli_member_list, cli_member_suspend, cli_did_show,
    cli_did_deactivate, cli_whoami;                                           /* cmd_member.c */
extern const struct cli_command cli_did_resolve, cli_did_export;              /* cmd_did.c */
extern const struct cli_command cli_did_key, cli_did_rotate, cli_did_recover; /* cmd_did_keys.c */
extern const struct cli_command cli_did_attach, cli_did_certificate; /* cmd_did_certificate.c */
extern const struct cli_command cli_lottery_open, cli_lottery_commit,
    cli_lottery_reveal;                                                 /* cmd_lottery.c */
extern const struct cli_command cli_lottery_draw;                       /* cmd_lottery_draw.c */
extern const struct cli_command cli_lottery_list, cli_lottery_show;     /* cmd_lottery_show.c */
extern const struct cli_command cli_dataset_prove, cli_dataset_forget;  /* cmd_prove.c */
extern const struct cli_command cli_dataset_history, cli_dataset_check; /* cmd_history.c */
extern const struct cli_command cli_evidence_deposit, cli_evidence_certificate; /* cmd_evidence.c */
extern const struct cli_command cli_credential_batch;                           /* cmd_batch.c */
extern const struct cli_command cli_credential_extract;                         /* cmd_extract.c */
extern const struct cli_command cli_sign, cli_countersign;                      /* cmd_sign.c */
extern const struct cli_command cli_anchor, cli_verify;                         /* cmd_signed.c */
extern const struct cli_command cli_document_keep, cli_document_get, cli_document_list,
    cli_document_show, cli_document_drop;                               /* cmd_document.c */
extern const struct cli_command cli_ledger_publish, cli_ledger_witness; /* cmd_publish.c */
extern const struct cli_command cli_ledger_proof;                       /* cmd_proof.c */
extern const struct cli_command cli_governance_list, cli_governance_vote,
    cli_member_vote;                                    /* cmd_governance.c */
extern const struct cli_command cli_governance_propose; /* cmd_governance_propose.c */
extern const struct cli_command cli_validator_rotate;   /* cmd_validator.c */
extern const struct cli_command cli_tx_submit;          /* cmd_tx.c */
extern const struct cli_command cli_local_query;        /* cmd_local.c */
extern const struct cli_command cli_demo;               /* cmd_demo.c */

#endif
