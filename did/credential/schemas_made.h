/* What CMakeLists.txt makes of schemas/: inside this folder alone. */
#ifndef FIRMIANA_DID_CREDENTIAL_SCHEMAS_MADE_H
#define FIRMIANA_DID_CREDENTIAL_SCHEMAS_MADE_H

#include "did/credential/schemas.h"

extern const struct credential_schema credential_schemas_made[]; /* ends with a row of NULL */

#endif
