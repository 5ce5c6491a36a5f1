/*
 * What the keeper stores through the parent: the master file and one sealed file a key. Role keeper. No I/O here:
 * octets in, octets out.
 *
 * Master file (151 octets): "PSTNMAS1", log2 N, r, p of scrypt, salt (32), check value (16), sealed {master key (32),
 * queue key (32)}. scrypt of the passphrase gives a key for the sealing and the check value, which tells a wrong
 * passphrase from a damaged file. Key file: "PSTNKEY1", use, algorithm, length of the name, name, sealed {PKCS #8
 * PrivateKeyInfo (RFC 5208)}. All before the sealed part is bound to it, so a file cannot be given another name, use
 * or algorithm. The digit in the magic word is the version of the format.
 */
#ifndef POSTERN_KEYS_KEEPER_FILES_H
#define POSTERN_KEYS_KEEPER_FILES_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/keys/keeper_keys.h"
#include "gateway/keys/keeper_seal.h"

#define KEEPER_FILES_MASTER 151	  /* octets of a master file */
#define KEEPER_FILES_KEY_MAX 8192 /* octets of a key file */

/* What the master file holds. In secure memory, wiped by keeper_files_secrets_free. */
struct keeper_secrets {
	uint8_t master[KEEPER_SEAL_KEY]; /* seals key files */
	uint8_t queue[KEEPER_SEAL_KEY];	 /* wraps the queue's data keys */
};

/* New secrets and their file under this passphrase. Costs 32 MiB and about 0.1 s (scrypt). 0 / -1 with pr. */
int keeper_files_master_make(const void *passphrase, size_t n, struct buf *file_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* NULL with pr: wrong passphrase, damaged file. */
struct keeper_secrets *keeper_files_master_open(
    const void *passphrase, size_t n, const void *file, size_t file_n, struct problem *pr);
void keeper_files_secrets_free(struct keeper_secrets *s);

/* Appends the sealed file of a key. */
int keeper_files_seal(const struct keeper_secrets *s, const struct keeper_key *key, struct buf *file_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* A key from its file called name ("<id>.key"). NULL with pr, which names the file. */
struct keeper_key *keeper_files_open(
    const struct keeper_secrets *s, const char *name, const void *p, size_t n, struct problem *pr);
/* A private key from DER of PKCS #8 without anything behind it; only the types we know and sound numbers. NULL with
 * pr. */
EVP_PKEY *keeper_files_pkcs8(const void *der, size_t n, const char *id, struct problem *pr);

#endif
