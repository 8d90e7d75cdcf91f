/* Others' vectors for primitives, each run through the function of ours that the product calls. A
 * handler reads one file, fails the test where we say otherwise than the file, and prints how many
 * cases it ran and which it could not express. */
#ifndef FIRMIANA_TESTS_VECTORS_H
#define FIRMIANA_TESTS_VECTORS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* wycheproof/ */
void vectors_aes_gcm(const char *file);
void vectors_hmac(const char *file);
void vectors_hkdf(const char *file);
void vectors_ecdh_p256(const char *file);
void vectors_x25519(const char *file);
void vectors_ecdsa_der(const char *file);

/* sm/ */
void vectors_pbkdf2_sm3(const char *file);
void vectors_evp_sm3(const char *file);
void vectors_evp_hmac_sm3(const char *file);
void vectors_evp_sm4(const char *file);
void vectors_evp_sm2(const char *file);
void vectors_sm2_standard(const char *file);

/* ---- what handlers share ---- */

/* The object's member as text; the test fails if there is none. */
const char *vectors_text(const json_t *object, const char *name);
/* Hex of at most cap bytes; the length. */
size_t vectors_unhex(uint8_t *out, size_t cap, const char *hex);
size_t vectors_hex(uint8_t *out, size_t cap, const json_t *object, const char *name);
/* Runs `one` on each case: those of all groups, or of the array that the file is. */
void vectors_each(const json_t *file, void (*one)(const json_t *group, const json_t *test));

/* OpenSSL's text format: groups of "name = value" lines. Moves *at behind the next group that has
 * the name and copies its lines; NULL at the end. free(). */
char *vectors_evp_next(const char **at, const char *name);
/* The value of a line of such a group; NULL: none. free(). */
char *vectors_evp_value(const char *group, const char *name);

#endif
