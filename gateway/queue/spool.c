/*
 * Sealed content of one message. relay (DATA, queue) and sealer (scratch, input, output); blocks on the disk.
 *
 * Plain octets stand in memory only as the chunk that is being filled or read (at most 64 KiB) and are sealed where
 * they lie. The sealed form is chunk after chunk, 65,536 plain octets and a tag of 16 each; only the last may be
 * shorter, and it is empty only when the content is. So the length of the sealed form says how many chunks there are
 * and which is last, and a wrong length shows as a failed tag.
 *
 * Nothing here is durable: queue_writer.c syncs and names a file before its message is acknowledged.
 */
#include "gateway/queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/spool_chunk.h"

enum {
	SEALED_CHUNK = SPOOL_CHUNK + SPOOL_OVERHEAD,
	PIECE = 4096, /* a first piece that is larger ... */
	ROOM = 32768, /* ... is the begin of a message that takes about this */
};

enum state { EMPTY, PLAIN, SEALED, FINISHED, FAILED };

struct spool {
	struct writer writer;
	struct reader reader;
	atomic_int refs;
	enum state state;
	struct spool_chunk cipher;
	struct buf mem;	     /* sealed octets not in the file, then `open` plain ones */
	const uint8_t *view; /* somebody else's instead of mem */
	size_t open;	     /* plain octets of the chunk being filled */
	size_t mem_max;	     /* sealed octets that may stay in memory */
	int dirfd, given;    /* where a file comes from; -1 each: from nowhere */
	int fd;		     /* -1 while everything is in memory */
	uint64_t filed;	     /* sealed octets in the file */
	uint64_t chunks;     /* sealed so far */
	uint64_t plain;	     /* plain octets in all */
	uint64_t sealed;     /* sealed octets in all */
	uint64_t max;	     /* plain octets allowed */
	uint8_t *cache;	     /* one opened chunk */
	size_t cache_cap, cache_len;
	uint64_t cache_no; /* its number; UINT64_MAX: none */
	bool broken;	   /* the length is one that no content has */
};

uint64_t spool_sealed_size(uint64_t n)
{
	uint64_t chunks = n ? (n - 1) / SPOOL_CHUNK + 1 : 1;

	return n + chunks * SPOOL_OVERHEAD;
}

/* The inverse; -1 for a length that no content has. */
static int plain_size(uint64_t sealed, uint64_t *plain_r)
{
	uint64_t chunks = sealed ? (sealed - 1) / SEALED_CHUNK + 1 : 0;

	if (chunks == 0 || sealed < chunks * SPOOL_OVERHEAD)
		return -1;
	*plain_r = sealed - chunks * SPOOL_OVERHEAD;
	return spool_sealed_size(*plain_r) == sealed ? 0 : -1;
}

static int write_cb(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	return spool_add((struct spool *)w, p, n, pr); /* the writer is the first member */
}

static int read_cb(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr);

static struct spool *new_spool(const uint8_t key[SPOOL_KEY])
{
	struct spool *s = mem_new(sizeof *s);

	s->writer.write = write_cb;
	s->reader.read_at = read_cb;
	atomic_init(&s->refs, 1);
	spool_chunk_init(&s->cipher, key);
	s->fd = s->dirfd = s->given = -1;
	s->cache_no = UINT64_MAX;
	return s;
}

struct spool *spool_new(const uint8_t key[SPOOL_KEY], size_t mem_max, int dirfd, int fd_given, uint64_t max)
{
	struct spool *s = new_spool(key);

	REQUIRE(mem_max < SIZE_MAX / 2);
	s->mem_max = mem_max;
	s->dirfd = dirfd;
	s->given = fd_given;
	s->max = max < UINT64_MAX / 2 ? max : UINT64_MAX / 2; /* sizes below cannot overflow */
	buf_init(&s->mem, mem_max + SEALED_CHUNK);
	return s;
}

struct spool *spool_ref(struct spool *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void spool_free(struct spool *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	if (s->fd >= 0 && s->fd != s->given)
		close(s->fd);
	spool_chunk_clear(&s->cipher);
	if (s->open)
		buf_clear(&s->mem);
	else
		buf_clear_public(&s->mem);
	mem_free_secret(s->cache, s->cache_cap);
	free(s);
}

/* ---- writing ---- */

static int disk_problem(struct problem *pr, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return problem_set(pr, PROBLEM_TEMP, 452, "4.3.1", NULL,
		    "no room for the message in the spool: %s: %s", what, strerror(errno));
	return problem_temp(pr, "the spool cannot take the message: %s: %s", what, strerror(errno));
}

static int make_file(struct spool *s, struct problem *pr)
{
	if (s->given >= 0) {
		if (ftruncate(s->given, 0))
			return disk_problem(pr, "emptying the scratch file");
		s->fd = s->given;
		return 0;
	}
	if (s->dirfd < 0)
		return problem_set(pr, PROBLEM_TEMP, 452, "4.3.1", NULL,
		    "the message needs more than the %zu octets of memory it may have", s->mem_max);
	s->fd = openat(s->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return s->fd >= 0 ? 0 : disk_problem(pr, "making a spool file");
}

/* Moves the sealed octets from memory to the file's end. */
static int to_file(struct spool *s, struct problem *pr)
{
	size_t n = s->mem.len - s->open;

	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(s->fd, s->mem.p + done, n - done, (off_t)(s->filed + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return disk_problem(pr, "writing");
		done += (size_t)k;
	}
	s->filed += n;
	buf_drop(&s->mem, n);
	return 0;
}

/* Keeps to mem_max: what is sealed beyond it goes to the file, and once there is one, everything does. */
static int settle(struct spool *s, struct problem *pr)
{
	if (s->fd < 0) {
		if (s->mem.len - s->open <= s->mem_max)
			return 0;
		if (make_file(s, pr))
			return -1;
	}
	return to_file(s, pr);
}

static void seal_open_chunk(struct spool *s, enum spool_chunk_last last)
{
	uint8_t *tag = buf_room(&s->mem, SPOOL_OVERHEAD);

	REQUIRE(tag);
	spool_chunk_seal(&s->cipher, s->chunks, last, tag - s->open, s->open);
	buf_added(&s->mem, SPOOL_OVERHEAD);
	s->sealed += s->open + SPOOL_OVERHEAD;
	s->chunks++;
	s->open = 0;
}

static int too_large(const struct spool *s, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.3",
	    "the message is larger than the %llu octets allowed", (unsigned long long)s->max);
}

/* A full chunk is sealed only when more comes: until then it may be the last one. */
static int add_plain(struct spool *s, const uint8_t *p, size_t n, struct problem *pr)
{
	if (n > s->max - s->plain)
		return too_large(s, pr);
	if (s->plain == 0 && n >= PIECE && s->mem_max >= ROOM)
		REQUIRE(buf_room(&s->mem, ROOM));
	while (n) {
		if (s->open == SPOOL_CHUNK) {
			seal_open_chunk(s, SPOOL_CHUNK_MORE);
			if (settle(s, pr))
				return -1;
		}

		size_t k = n < SPOOL_CHUNK - s->open ? n : SPOOL_CHUNK - s->open;

		REQUIRE(buf_add(&s->mem, p, k) == 0);
		s->open += k;
		s->plain += k;
		p += k;
		n -= k;
	}
	return 0;
}

int spool_add(struct spool *s, const void *p, size_t n, struct problem *pr)
{
	REQUIRE(s->state == EMPTY || s->state == PLAIN || s->state == FAILED);
	if (s->state == FAILED)
		return problem_temp(pr, "the spool failed before");
	s->state = PLAIN;
	if (add_plain(s, p, n, pr) == 0)
		return 0;
	s->state = FAILED;
	return -1;
}

static int add_sealed(struct spool *s, const uint8_t *p, size_t n, struct problem *pr)
{
	if (n > spool_sealed_size(s->max) - s->sealed)
		return too_large(s, pr);
	while (n) {
		size_t k = n < SEALED_CHUNK ? n : SEALED_CHUNK;

		REQUIRE(buf_add(&s->mem, p, k) == 0);
		s->sealed += k;
		if (settle(s, pr))
			return -1;
		p += k;
		n -= k;
	}
	return 0;
}

int spool_add_sealed(struct spool *s, const void *p, size_t n, struct problem *pr)
{
	REQUIRE(s->state == EMPTY || s->state == SEALED || s->state == FAILED);
	if (s->state == FAILED)
		return problem_temp(pr, "the spool failed before");
	s->state = SEALED;
	if (add_sealed(s, p, n, pr) == 0)
		return 0;
	s->state = FAILED;
	return -1;
}

static int finish(struct spool *s, struct problem *pr)
{
	if (s->state == SEALED) {
		if (plain_size(s->sealed, &s->plain))
			return problem_temp(
			    pr, "%llu sealed octets are not a whole content", (unsigned long long)s->sealed);
		if (s->plain > s->max)
			return too_large(s, pr);
		return 0;
	}
	seal_open_chunk(s, SPOOL_CHUNK_LAST);
	return settle(s, pr);
}

int spool_finish(struct spool *s, struct problem *pr)
{
	REQUIRE(s->state != FINISHED);
	if (s->state == FAILED)
		return problem_temp(pr, "the spool failed before");
	if (finish(s, pr)) {
		s->state = FAILED;
		return -1;
	}
	s->state = FINISHED;
	s->reader.size = s->plain;
	return 0;
}

struct writer *spool_writer(struct spool *s)
{
	return &s->writer;
}

/* ---- reading ---- */

static enum spool_chunk_last is_last(const struct spool *s, uint64_t number)
{
	return (number + 1) * SEALED_CHUNK >= s->sealed ? SPOOL_CHUNK_LAST : SPOOL_CHUNK_MORE;
}

static int damaged(const struct spool *s, uint64_t number, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.3.0", NULL,
	    "the stored content is damaged or its key is wrong (chunk %llu of %llu sealed octets)",
	    (unsigned long long)number, (unsigned long long)s->sealed);
}

static int read_file(const struct spool *s, uint64_t off, uint8_t *p, size_t n, struct problem *pr)
{
	while (n) {
		ssize_t k = pread(s->fd, p, n, (off_t)off);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return problem_temp(pr, "the spool file cannot be read: %s", strerror(errno));
		if (k == 0)
			return problem_set(pr, PROBLEM_PERM, 554, "5.3.0", NULL, "the spool file ends early");
		p += k;
		off += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

static void make_cache(struct spool *s)
{
	if (s->cache)
		return;
	s->cache_cap = s->sealed < SEALED_CHUNK ? (size_t)s->sealed : SEALED_CHUNK;
	s->cache = mem_raw(s->cache_cap);
}

/* Opens chunk `number` into the cache. */
static int load(struct spool *s, uint64_t number, struct problem *pr)
{
	uint64_t off = number * SEALED_CHUNK;
	uint64_t rest = s->sealed - off;
	size_t n = rest < SEALED_CHUNK ? (size_t)rest : SEALED_CHUNK;
	const uint8_t *in;

	if (s->cache_no == number)
		return 0;
	make_cache(s);
	s->cache_no = UINT64_MAX;
	in = s->fd >= 0 ? s->cache : (s->view ? s->view : s->mem.p) + off;
	if (s->fd >= 0 && read_file(s, off, s->cache, n, pr))
		return -1;
	if (spool_chunk_open(&s->cipher, number, is_last(s, number), in, n, s->cache))
		return damaged(s, number, pr);
	s->cache_no = number;
	s->cache_len = n - SPOOL_OVERHEAD;
	return 0;
}

static int read_cb(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct spool *s = (struct spool *)((char *)r - offsetof(struct spool, reader));

	*got_r = 0;
	REQUIRE(s->state == FINISHED);
	if (s->broken)
		return damaged(s, 0, pr);
	while (n && off < s->plain) {
		if (load(s, off / SPOOL_CHUNK, pr))
			return -1;

		size_t at = (size_t)(off % SPOOL_CHUNK);
		size_t k = n < s->cache_len - at ? n : s->cache_len - at;

		memcpy((uint8_t *)p + *got_r, s->cache + at, k);
		*got_r += k;
		off += k;
		n -= k;
	}
	return 0;
}

/*
 * A length that cannot be must not look like an empty message to a caller who trusts reader.size: such a spool claims
 * one octet, and reading it fails. The same for 16 octets that are not the tag of an empty content.
 */
static void begin_reading(struct spool *s, uint64_t sealed)
{
	struct problem ignored;

	s->state = FINISHED;
	s->sealed = sealed;
	s->broken = plain_size(sealed, &s->plain) != 0;
	if (!s->broken && s->plain == 0)
		s->broken = load(s, 0, &ignored) != 0;
	if (s->broken)
		s->plain = 1;
	s->reader.size = s->plain;
}

struct spool *spool_open_mem(const uint8_t key[SPOOL_KEY], const void *sealed, size_t n)
{
	struct spool *s = new_spool(key);

	buf_init(&s->mem, n);
	REQUIRE(buf_add(&s->mem, sealed, n) == 0);
	begin_reading(s, n);
	return s;
}

struct spool *spool_open_buf(const uint8_t key[SPOOL_KEY], struct buf *sealed)
{
	struct spool *s = new_spool(key);

	s->mem = *sealed;
	buf_init(sealed, sealed->max);
	begin_reading(s, s->mem.len);
	return s;
}

struct spool *spool_open_view(const uint8_t key[SPOOL_KEY], const void *sealed, size_t n)
{
	struct spool *s = new_spool(key);

	s->view = sealed;
	begin_reading(s, n);
	return s;
}

struct spool *spool_open_fd(const uint8_t key[SPOOL_KEY], int fd, uint64_t sealed_size)
{
	struct spool *s = new_spool(key);

	s->fd = fd;
	s->filed = sealed_size;
	begin_reading(s, sealed_size);
	return s;
}

struct reader *spool_reader(struct spool *s)
{
	REQUIRE(s->state == FINISHED);
	return &s->reader;
}

uint64_t spool_size(const struct spool *s)
{
	return s->plain;
}

const uint8_t *spool_key(const struct spool *s)
{
	return s->cipher.key;
}

const uint8_t *spool_sealed(const struct spool *s, size_t *n_r)
{
	*n_r = 0;
	if (s->fd >= 0)
		return NULL;
	if (s->view) {
		*n_r = (size_t)s->sealed;
		return s->view;
	}
	*n_r = s->mem.len - s->open;
	return s->mem.p;
}

int spool_fd(const struct spool *s)
{
	return s->fd;
}

uint64_t spool_sealed_len(const struct spool *s)
{
	return s->sealed;
}
