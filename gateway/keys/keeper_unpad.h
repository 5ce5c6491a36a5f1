/*
 * The content key inside an RSA key transport, chosen without a branch or an address that depends on it: either what
 * was transported, or a pseudo-random one in its place (implicit rejection). Role keeper. Pure.
 *
 * Why: an attacker who can tell good padding from bad decrypts any message by sending changed copies of its
 * encryptedKey (Bleichenbacher 1998, Manger 2001). With implicit rejection there is no bad padding: each ciphertext
 * has one key, always the same, and the content then fails to decrypt in the same way whatever was wrong.
 */
#ifndef POSTERN_KEYS_KEEPER_UNPAD_H
#define POSTERN_KEYS_KEEPER_UNPAD_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/keys/keeper_proto.h"

/*
 * em[0..k): the RSA block, k >= 64. fallback: the pseudo-random key. want: octets the content key must have (16, 24,
 * 32), or 0 for any of them; the fallback then counts 32. PKCS #1 v1.5: RFC 8017 7.2.2 step 3.
 */
void keeper_unpad_v15(
    const uint8_t *em, size_t k, const uint8_t fallback[KEEPER_KEY_MAX], unsigned want, struct keeper_cek *cek_r);
/* The same after OAEP was taken off by libcrypto (in constant time): ok is 1 or 0, msg has KEEPER_KEY_MAX octets of
 * which n count if ok. */
void keeper_unpad_oaep(unsigned ok, const uint8_t msg[KEEPER_KEY_MAX], size_t n,
    const uint8_t fallback[KEEPER_KEY_MAX], unsigned want, struct keeper_cek *cek_r);

#endif
