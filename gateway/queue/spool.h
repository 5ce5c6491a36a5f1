/*
 * Sealed content: chunked AES-256-GCM (64 KiB chunks, nonce = chunk counter with a final flag, key of one message),
 * in memory up to a bound, then in an O_TMPFILE file. Nothing of a message is on disk or long in memory in the clear
 * (promise P3). relay (DATA, queue) and sealer (scratch, input, output); blocks on the disk. Truncation, reordering
 * and changes are found when reading.
 */
#ifndef POSTERN_QUEUE_SPOOL_H
#define POSTERN_QUEUE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/stream.h"

#define SPOOL_KEY 32
#define SPOOL_CHUNK 65536
#define SPOOL_OVERHEAD 16 /* per chunk */
/* Octets the sealed form of n octets has. */
uint64_t spool_sealed_size(uint64_t n);

struct spool;
/* An empty spool to be written. mem_max: sealed octets kept in memory; past it a file is made: O_TMPFILE below dirfd
 * (relay), or fd_given (sealer's scratch, truncated first, not owned); dirfd = -1 and fd_given = -1: memory only,
 * past mem_max is 452 4.3.1. max: plain octets in all (552 5.3.4 past it). key is copied, and must
 * never seal another spool: the nonces begin anew with each. */
struct spool *spool_new(const uint8_t key[SPOOL_KEY], size_t mem_max, int dirfd, int fd_given, uint64_t max);
/* Reference counted: spool_free drops one. Wipes key and plain octets at the last. */
struct spool *spool_ref(struct spool *s);
void spool_free(struct spool *s);
/* Plain octets in; chunks are sealed as they fill. */
int spool_add(struct spool *s, const void *p, size_t n, struct problem *pr) __attribute__((warn_unused_result));
struct writer *spool_writer(struct spool *s); /* the same as a writer */
/* Seals the last chunk; afterwards it can only be read. */
int spool_finish(struct spool *s, struct problem *pr) __attribute__((warn_unused_result));
/* Existing sealed octets: in memory (copied) or in a file (fd owned by the spool). Never NULL: one with a length that
 * no content has claims one octet, and reading it fails (it must not look like an empty message). */
struct spool *spool_open_mem(const uint8_t key[SPOOL_KEY], const void *sealed, size_t n);
/* Takes the buffer's memory over. */
struct spool *spool_open_buf(const uint8_t key[SPOOL_KEY], struct buf *sealed);
/* Without a copy: sealed must outlive the spool. */
struct spool *spool_open_view(const uint8_t key[SPOOL_KEY], const void *sealed, size_t n);
struct spool *spool_open_fd(const uint8_t key[SPOOL_KEY], int fd, uint64_t sealed_size);
/* Plain content by position (one decrypted chunk is cached); only after finish/open. Changed or cut content: -1, PERM
 * 5.3.0. One thread at a time. */
struct reader *spool_reader(struct spool *s);
uint64_t spool_size(const struct spool *s); /* plain octets */
const uint8_t *spool_key(const struct spool *s);
/* Sealed form: memory (NULL when in a file) or descriptor (-1 when in memory). Not copies. */
const uint8_t *spool_sealed(const struct spool *s, size_t *n_r);
int spool_fd(const struct spool *s);
uint64_t spool_sealed_len(const struct spool *s);

/* Takes already sealed octets piece by piece (what a sealer streams back to the relay): the pieces are stored
 * unopened; spool_finish checks that the chunk count and length can be right (the tags are checked when read). */
int spool_add_sealed(struct spool *s, const void *p, size_t n, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
