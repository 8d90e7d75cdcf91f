/* What the files of the advice share. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_PROFILE_ADVICE_H
#define FIRMIANA_EXCHANGE_DATA_PROFILE_ADVICE_H

#include "exchange/data/profile.h"

/* The shape of most values, and how many have another. */
enum data_shape data_profile_main_shape(uint64_t *others, const struct data_profile_column *c);
/* Are the values of one length (but for a tenth of them), of 5 bytes or more? 0: no. */
size_t data_profile_length(const struct data_profile_column *c);
/* No two rows have the same value, or a quarter of them or more differ and all are of one length.
 */
bool data_profile_is_identifier(const struct data_profile_column *c, const struct data_type *type);

fm_status data_profile_warn(struct data_notes *out, const struct data_profile *p,
                            const struct data_profile_column *c, const struct data_type *type,
                            struct base_err *err) FM_CHECK;

#endif
