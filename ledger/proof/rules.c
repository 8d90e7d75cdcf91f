#include "ledger/proof/rules.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *code;
    const char *text;
} rule_table[LEDGER_RULE_COUNT] = {
    [LEDGER_RULE_OK] = {"ok", "allowed"},

    [LEDGER_DROP_MALFORMED] = {"drop.malformed", "it is not a canonical, well-formed transaction"},
    [LEDGER_DROP_SIZE] = {"drop.size", "it is larger than the ledger's tx_bytes"},
    [LEDGER_DROP_CHAIN] = {"drop.chain", "it is for another ledger"},
    [LEDGER_DROP_EXPIRED] = {"drop.expired", "its not_after has passed"},
    [LEDGER_DROP_TOO_FAR] = {"drop.too_far",
                             "its not_after is further ahead than the ledger remembers ids"},
    [LEDGER_DROP_REPEATED] = {"drop.repeated", "its id is in the log already"},
    [LEDGER_DROP_SENDER] = {"drop.sender", "its sender is not, and never was, a member"},
    [LEDGER_DROP_PROOF] = {"drop.proof",
                           "a proof does not verify under the sender's current document"},
    [LEDGER_DROP_QUOTA] = {"drop.quota", "the sender has used up its refused entries for the day"},

    [LEDGER_RULE_AUTH_ROLE] = {"auth.role",
                               "the key that signed does not have the role this type needs"},
    [LEDGER_RULE_AUTH_THRESHOLD] = {"auth.threshold",
                                    "fewer officers signed than the sender's document asks for"},

    [LEDGER_RULE_MEMBER_UNKNOWN] = {"member.unknown", "there is no such member"},
    [LEDGER_RULE_MEMBER_SUSPENDED] = {"member.suspended", "the member is suspended"},
    [LEDGER_RULE_MEMBER_ACTIVE] = {"member.active", "the member is not suspended"},
    [LEDGER_RULE_MEMBER_EXISTS] = {"member.exists", "the alias or the DID is a member's already"},
    [LEDGER_RULE_MEMBER_ROLE] = {"member.role",
                                 "the member does not have the role that this needs"},
    [LEDGER_RULE_MEMBER_SHAPE] = {"member.shape", "alias, roles or endpoint are malformed"},
    [LEDGER_RULE_MEMBER_QUORUM] = {"member.quorum",
                                   "fewer active members than the quorum would be left"},
    [LEDGER_RULE_MEMBER_GROUND] = {"member.ground",
                                   "the ground is no misbehavior of the member's validator"},

    [LEDGER_RULE_PROPOSAL_UNKNOWN] = {"proposal.unknown", "there is no such proposal"},
    [LEDGER_RULE_PROPOSAL_CLOSED] = {"proposal.closed", "the proposal is decided"},
    [LEDGER_RULE_PROPOSAL_VOTED] = {"proposal.voted", "the member has voted already"},
    [LEDGER_RULE_PROPOSAL_EXISTS] = {"proposal.exists", "the same proposal is open already"},

    [LEDGER_RULE_PARAMETER_LIMITS] = {"parameter.limits",
                                      "a block would have no room for a transaction"},
    [LEDGER_RULE_PARAMETER_RULES] = {"parameter.rules",
                                     "the rules version is not above the present one"},

    [LEDGER_RULE_DID_SHAPE] = {"did.shape", "the document is malformed"},
    [LEDGER_RULE_DID_CHAIN] = {"did.chain", "the document's DID is not of this ledger"},
    [LEDGER_RULE_DID_PREVIOUS] = {"did.previous",
                                  "previous is not the hash of the current document"},
    [LEDGER_RULE_DID_SUCCESSION] = {"did.succession",
                                    "the document may not follow the current one"},
    [LEDGER_RULE_DID_RECOVERY] = {"did.recovery", "the proof is not by the committed recovery key"},
    [LEDGER_RULE_DID_DEACTIVATED] = {"did.deactivated", "the sender's DID is deactivated"},
    [LEDGER_RULE_DID_EXISTS] = {"did.exists", "the DID is known already"},
    [LEDGER_RULE_DID_VALIDATOR] = {"did.validator", "the validator's key may not be changed so"},

    [LEDGER_RULE_EVIDENCE_SHAPE] = {"evidence.shape", "no such digests can be deposited"},
    [LEDGER_RULE_EVIDENCE_EXISTS] = {"evidence.exists", "the anchor is on the ledger already"},

    [LEDGER_RULE_STATUS_SHAPE] = {"status.shape", "no such status list can be anchored"},
    [LEDGER_RULE_STATUS_VERSION] = {"status.version", "version is not the list's next one"},

    [LEDGER_RULE_LOTTERY_SHAPE] = {"lottery.shape", "no such lottery can be held"},
    [LEDGER_RULE_LOTTERY_UNKNOWN] = {"lottery.unknown", "there is no such lottery"},
    [LEDGER_RULE_LOTTERY_MEMBER] = {"lottery.member", "these members cannot give the shares"},
    [LEDGER_RULE_LOTTERY_TIME] = {"lottery.time", "it is too early or too late for that"},
    [LEDGER_RULE_LOTTERY_SHARE] = {"lottery.share", "the share is not one that may be given now"},

    [LEDGER_RULE_DATASET_SHAPE] = {"dataset.shape", "the dataset or its schema is malformed"},
    [LEDGER_RULE_DATASET_VERSION] = {"dataset.version", "data_version is not the next one"},
    [LEDGER_RULE_DATASET_SCHEMA] = {"dataset.schema",
                                    "the schema changed without a higher schema version"},

    [LEDGER_RULE_CONTRACT_UNKNOWN] = {"contract.unknown", "there is no such contract"},
    [LEDGER_RULE_CONTRACT_SHAPE] = {"contract.shape", "the contract is malformed"},
    [LEDGER_RULE_CONTRACT_EXPIRED] = {"contract.expired", "the contract has expired"},
    [LEDGER_RULE_CONTRACT_MEMBER] =
        {"contract.member", "the contract names a member that is not one, or not as named"},
    [LEDGER_RULE_CONTRACT_DATASET] =
        {"contract.dataset", "the contract names a dataset that is not published as named"},
    [LEDGER_RULE_CONTRACT_ASKER] = {"contract.asker", "the sender is not the contract's asker"},
    [LEDGER_RULE_CONTRACT_MINIMUM_GROUP] = {"contract.minimum_group",
                                            "so small a minimum group needs the subject's consent"},
    [LEDGER_RULE_CONTRACT_EXISTS] = {"contract.exists", "the contract is on the ledger already"},

    [LEDGER_RULE_AUTHORIZATION_MISSING] = {"authorization.missing",
                                           "a provider has not authorized the contract"},
    [LEDGER_RULE_AUTHORIZATION_REVOKED] = {"authorization.revoked",
                                           "a provider withdrew its authorization"},
    [LEDGER_RULE_AUTHORIZATION_EXPIRED] = {"authorization.expired",
                                           "a provider's authorization has expired"},
    [LEDGER_RULE_AUTHORIZATION_EXHAUSTED] = {"authorization.exhausted",
                                             "a provider's authorization has no runs left"},
    [LEDGER_RULE_AUTHORIZATION_USES] = {"authorization.uses",
                                        "the authorized uses are not those of the contract"},
    [LEDGER_RULE_AUTHORIZATION_PROVIDER] = {"authorization.provider",
                                            "the sender is not a provider of the contract"},
    [LEDGER_RULE_AUTHORIZATION_RUNS] = {"authorization.runs", "runs and expiry must lie ahead"},

    [LEDGER_RULE_CONSENT_MISSING] = {"consent.missing",
                                     "the contract requires a consent and none is named"},
    [LEDGER_RULE_CONSENT_UNKNOWN] = {"consent.unknown", "there is no such consent"},
    [LEDGER_RULE_CONSENT_REVOKED] = {"consent.revoked", "the consent is revoked"},
    [LEDGER_RULE_CONSENT_USED_UP] = {"consent.used_up", "the consent has no uses left"},
    [LEDGER_RULE_CONSENT_EXPIRED] = {"consent.expired", "the consent has expired"},
    [LEDGER_RULE_CONSENT_NOT_YET] = {"consent.not_yet", "the consent is not valid yet"},
    [LEDGER_RULE_CONSENT_GRANTEE] = {"consent.grantee", "the consent is for another member"},
    [LEDGER_RULE_CONSENT_PURPOSE] = {"consent.purpose", "the consent is for another purpose"},
    [LEDGER_RULE_CONSENT_CONTRACT] = {"consent.contract", "the consent is for another contract"},
    [LEDGER_RULE_CONSENT_MODE] = {"consent.mode",
                                  "the contract does not accept this mode of consent"},
    [LEDGER_RULE_CONSENT_SUBJECT] = {"consent.subject",
                                     "the consent is not for the parameter that names the subject"},
    [LEDGER_RULE_CONSENT_DUPLICATE] = {"consent.duplicate",
                                       "the consent, or its key, is on the ledger already"},
    [LEDGER_RULE_CONSENT_SHAPE] = {"consent.shape", "the consent or revocation is malformed"},
    [LEDGER_RULE_CONSENT_PROOF] = {"consent.proof", "the subject's own key did not sign it"},
    [LEDGER_RULE_CONSENT_CHAIN] = {"consent.chain",
                                   "the consent or revocation is for another ledger"},

    [LEDGER_RULE_QUERY_ASKER] = {"query.asker", "the sender may not ask under this contract"},
    [LEDGER_RULE_QUERY_DEADLINE] = {"query.deadline",
                                    "the deadline has passed or does not lie ahead"},
    [LEDGER_RULE_QUERY_COMPUTE] = {"query.compute", "the compute parties are not the contract's"},
    [LEDGER_RULE_QUERY_HEIGHT] = {"query.height",
                                  "the height is not one that the ledger has reached"},
    [LEDGER_RULE_QUERY_PARAMETER] = {"query.parameter",
                                     "a parameter is named that the contract does not have"},
    [LEDGER_RULE_QUERY_UNKNOWN] = {"query.unknown", "there is no such query"},
    [LEDGER_RULE_QUERY_NOT_OPEN] = {"query.not_open", "the query is closed"},
    [LEDGER_RULE_QUERY_PARTY] = {"query.party",
                                 "the sender or a signer is not a party of the query"},
    [LEDGER_RULE_QUERY_RECEIPT] = {"query.receipt",
                                   "the receipt is malformed or does not match the query"},
    [LEDGER_RULE_QUERY_RECEIPT_PROOF] = {"query.receipt_proof",
                                         "a proof on the receipt does not verify"},
    [LEDGER_RULE_QUERY_RECEIPT_SIGNERS] = {"query.receipt_signers",
                                           "a party whose proof is needed did not sign"},
    [LEDGER_RULE_QUERY_RECEIPT_TWICE] = {"query.receipt_twice",
                                         "the member filed its receipt already"},

    [LEDGER_RULE_LIMIT_OPEN_QUERIES] = {"limit.open_queries",
                                        "the asker has too many open queries"},
    [LEDGER_RULE_LIMIT_UNRECEIPTED_QUERIES] = {"limit.unreceipted_queries",
                                               "the asker has too many queries without a receipt"},
    [LEDGER_RULE_LIMIT_CONSENT_USES] = {"limit.consent_uses",
                                        "the consent grants more uses than the ledger allows"},
    [LEDGER_RULE_LIMIT_DEADLINE] = {"limit.deadline_ms",
                                    "the deadline is further ahead than the ledger allows"},

    [LEDGER_RULE_EPOCH_NUMBER] = {"epoch.number", "the epoch is not after the present one"},
    [LEDGER_RULE_EPOCH_SEQUENCER] = {"epoch.sequencer",
                                     "the sender is not the sequencer that the epoch names"},
    [LEDGER_RULE_EPOCH_APPROVAL] = {"epoch.approval",
                                    "the approvals are not those of more than half of the members"},
    [LEDGER_RULE_EPOCH_PROMISE] = {"epoch.promise",
                                   "the promises are not those of a quorum of members"},
    [LEDGER_RULE_EPOCH_BASE] = {"epoch.base",
                                "the log does not hold what the promises say may be final"},
    [LEDGER_RULE_EPOCH_PLACE] = {"epoch.place",
                                 "approvals and promises stand inside an epoch transaction"},
};

const char *ledger_rule_code(enum ledger_rule rule)
{
    assert(rule < LEDGER_RULE_COUNT);
    return rule_table[rule].code;
}

const char *ledger_rule_text(enum ledger_rule rule)
{
    assert(rule < LEDGER_RULE_COUNT);
    return rule_table[rule].text;
}

bool ledger_rule_drops(enum ledger_rule rule)
{
    return rule >= LEDGER_DROP_MALFORMED && rule <= LEDGER_DROP_QUOTA;
}

enum ledger_rule ledger_rule_find(const char *code)
{
    unsigned i = 0;

    while (i < LEDGER_RULE_COUNT && strcmp(rule_table[i].code, code) != 0)
        i++;
    return (enum ledger_rule)i;
}
