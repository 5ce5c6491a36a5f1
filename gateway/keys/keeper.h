/*
 * The keeper itself: private keys in memory, the requests of its four kinds of clients, and what each may ask. Runs
 * in role keeper (one thread per core, served by keeper_run) and in tests (a thread). No network, no files after
 * start: sealed key files come from and go to the parent.
 */
#ifndef POSTERN_KEYS_KEEPER_H
#define POSTERN_KEYS_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/problem.h"

enum keeper_client { KEEPER_FOR_RELAY, KEEPER_FOR_SEALER, KEEPER_FOR_JUDGE, KEEPER_FOR_PUBLIC, KEEPER_FOR_WEB };

struct keeper;
/* persist: called (from any keeper thread) to make a sealed key file durable: name "<id>.key", octets; p NULL: to
 * remove it durably, if it is there. 0 / -1. */
struct keeper *keeper_new(
    int (*persist)(void *ctx, const char *name, const void *p, size_t n, struct problem *pr), void *ctx);
void keeper_free(struct keeper *k); /* wipes */
/* Unseals: derives the master key from the passphrase and the salt file (made by keeper_master_new on first start).
 * Before it, every request but status is answered "sealed" (TEMP). Wrong passphrase: -1. */
int keeper_unseal(struct keeper *k, const void *passphrase, size_t n, const void *master_file, size_t master_n,
    struct problem *pr) __attribute__((warn_unused_result));
/* First start: a new master file (salt, scrypt parameters, check value, wrapped queue key-encryption key) for this
 * passphrase. */
struct buf;
int keeper_master_new(const void *passphrase, size_t n, struct buf *file_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Loads one sealed key file. A damaged one is -1 (named) and does not stop the others. */
int keeper_load(struct keeper *k, const char *name, const void *p, size_t n, struct problem *pr)
    __attribute__((warn_unused_result));
/* How many keys there are; thread-safe. */
unsigned keeper_count(const struct keeper *k);
/* Adds a client channel (owned; closed when the client goes away); thread-safe. */
void keeper_attach(struct keeper *k, int fd, enum keeper_client who);
/* Of the TLS keys the public listener (KEEPER_FOR_PUBLIC) and the web UI (KEEPER_FOR_WEB) may each use those of this
 * host alone, as their names say (keys_tls_of). Before keeper_run; without it, or "": none. */
void keeper_https_host(struct keeper *k, enum keeper_client who, const char *host);
/* Serves with n threads until keeper_stop; returns afterwards. Malformed packet of a client: its channel is closed
 * and logged. */
void keeper_run(struct keeper *k, int nthreads);
void keeper_stop(struct keeper *k);

#endif
