/* Sealed content: sizes around the chunk limits, tampering in each region, memory and file, positions, limits. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/queue/spool.h"
#include "tests/unit/suite.h"

enum { SEALED = SPOOL_CHUNK + SPOOL_OVERHEAD };

static const uint8_t key[SPOOL_KEY] = "0123456789abcdef0123456789abcde";
static char dir[] = "/tmp/test_spool_XXXXXX";
static int dirfd_;

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 131 + (at >> 8) * 17 + (at >> 16));
}

static uint8_t *content(size_t n)
{
	uint8_t *p = malloc(n + 1);

	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < n; i++)
		p[i] = octet(i);
	return p;
}

/* A finished spool of n octets, given in pieces of `piece`. */
static struct spool *make(size_t n, size_t piece, size_t mem_max)
{
	struct spool *s = spool_new(key, mem_max, dirfd_, -1, UINT64_MAX);
	uint8_t *p = content(n);
	struct problem pr = {0};

	for (size_t at = 0; at < n; at += piece)
		ck_assert_msg(spool_add(s, p + at, n - at < piece ? n - at : piece, &pr) == 0, "%s", pr.text);
	ck_assert_msg(spool_finish(s, &pr) == 0, "%s", pr.text);
	free(p);
	return s;
}

static int read_all(struct spool *s, struct buf *b, struct problem *pr)
{
	struct stream_buf to;

	stream_buf_init(&to, b);
	return stream_copy(spool_reader(s), 0, spool_reader(s)->size, &to.writer, pr);
}

static void expect_content(struct spool *s, size_t n)
{
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, n + 1);
	ck_assert_uint_eq(spool_size(s), n);
	ck_assert_uint_eq(spool_sealed_len(s), spool_sealed_size(n));
	ck_assert_msg(read_all(s, &b, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(b.len, n);
	for (size_t i = 0; i < n; i++)
		if (b.p[i] != octet(i))
			ck_abort_msg("octet %zu differs", i);
	buf_clear(&b);
}

/* A copy of the sealed octets; free() it. */
static uint8_t *sealed_copy(struct spool *s, size_t *n_r)
{
	const uint8_t *p = spool_sealed(s, n_r);
	uint8_t *copy;

	if (!p)
		*n_r = (size_t)spool_sealed_len(s);
	copy = malloc(*n_r + 1);
	ck_assert_ptr_nonnull(copy);
	if (p)
		memcpy(copy, p, *n_r);
	else
		ck_assert_int_eq(pread(spool_fd(s), copy, *n_r, 0), (ssize_t)*n_r);
	return copy;
}

static const size_t sizes[] = {0, 1, 15, 16, 17, SPOOL_CHUNK - 1, SPOOL_CHUNK, SPOOL_CHUNK + 1, 2 * SPOOL_CHUNK - 1,
    2 * SPOOL_CHUNK, 2 * SPOOL_CHUNK + 1, 300000, 10 * SPOOL_CHUNK};
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(test_sizes)
{
	static const size_t memory[] = {0, 16, SEALED, 256 * 1024, 16 << 20};
	size_t n = sizes[_i];

	for (size_t m = 0; m < sizeof memory / sizeof memory[0]; m++) {
		struct spool *s = make(n, 7777, memory[m]);

		ck_assert_int_eq(spool_fd(s) < 0, spool_sealed_size(n) <= memory[m]);
		expect_content(s, n);

		struct spool *again;

		if (spool_fd(s) >= 0) {
			again = spool_open_fd(key, dup(spool_fd(s)), spool_sealed_len(s));
		} else {
			size_t len;
			const uint8_t *p = spool_sealed(s, &len);

			ck_assert_uint_eq(len, spool_sealed_len(s));
			again = spool_open_mem(key, p, len);
		}
		expect_content(again, n);
		spool_free(again);
		spool_free(s);
	}
}
END_TEST

START_TEST(test_pieces)
{
	static const size_t pieces[] = {1, 2, 65535, 65536, 65537, 1 << 20};
	struct spool *s = make(SPOOL_CHUNK * 2 + 5, pieces[_i], 1000);

	expect_content(s, SPOOL_CHUNK * 2 + 5);
	spool_free(s);
}
END_TEST

START_TEST(test_positions)
{
	enum { N = 3 * SPOOL_CHUNK + 100 };
	struct spool *s = make(N, 5000, _i ? 0 : 1 << 20);
	struct reader *r = spool_reader(s);
	uint8_t got[SPOOL_CHUNK + 50];
	struct problem pr = {0};
	size_t n;
	uint64_t at = 12345;

	for (int i = 0; i < 200; i++) {
		at = (at * 6364136223846793005u + 1442695040888963407u);

		uint64_t off = (at >> 20) % (N + 10);
		size_t want = (size_t)((at >> 3) % sizeof got);
		uint64_t rest = off < N ? N - off : 0;

		ck_assert_int_eq(stream_read_at(r, off, got, want, &n, &pr), 0);
		ck_assert_uint_eq(n, want < rest ? want : rest);
		for (size_t k = 0; k < n; k++)
			if (got[k] != octet(off + k))
				ck_abort_msg("octet %zu differs", k);
	}
	spool_free(s);
}
END_TEST

/* Reading everything must fail; what came out before the damaged chunk is allowed, nothing wrong is. */
static void expect_damage(const uint8_t *p, size_t n, const char *what)
{
	struct spool *s = spool_open_mem(key, p, n);
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_msg(spool_reader(s)->size > 0, "%s: looks empty", what);
	ck_assert_msg(read_all(s, &b, &pr) == -1, "%s: was read", what);
	ck_assert_msg(strstr(pr.text, "damaged") != NULL, "%s: %s", what, pr.text);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] != octet(i))
			ck_abort_msg("%s: octet %zu differs", what, i);
	buf_clear(&b);
	spool_free(s);
}

START_TEST(test_tamper)
{
	enum { N = 2 * SPOOL_CHUNK + 1000 };
	static const struct {
		const char *what;
		size_t at;
	} places[] = {
	    {"first octet", 0},
	    {"middle of the first chunk", 30000},
	    {"last octet of the first chunk", SPOOL_CHUNK - 1},
	    {"first tag", SPOOL_CHUNK},
	    {"end of the first tag", SEALED - 1},
	    {"second chunk", SEALED + 5},
	    {"last chunk", 2 * SEALED + 10},
	    {"last tag", 2 * SEALED + 1000 + 15},
	};
	struct spool *s = make(N, N, 1 << 20);
	size_t n;
	uint8_t *p = sealed_copy(s, &n);

	ck_assert_uint_eq(n, 2 * SEALED + 1016);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		p[places[i].at] ^= 1;
		expect_damage(p, n, places[i].what);
		p[places[i].at] ^= 1;
	}
	free(p);
	spool_free(s);
}
END_TEST

START_TEST(test_cut_and_reorder)
{
	enum { N = 3 * SPOOL_CHUNK };
	struct spool *s = make(N, N, 1 << 20);
	size_t n;
	uint8_t *p = sealed_copy(s, &n);
	static const size_t cuts[] = {0, 1, 15, 16, 17, 1000, SEALED - 1, SEALED, SEALED + 1, SEALED + 16,
	    SEALED + 17, 2 * SEALED, 3 * SEALED - 1};
	uint8_t *q = malloc(n + SEALED);

	ck_assert_ptr_nonnull(q);
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
		expect_damage(p, cuts[i], "cut");
	memcpy(q, p + SEALED, SEALED);
	memcpy(q + SEALED, p, SEALED);
	memcpy(q + 2 * SEALED, p + 2 * SEALED, SEALED);
	expect_damage(q, n, "first two exchanged");
	memcpy(q, p, n);
	memcpy(q + n, p + 2 * SEALED, SEALED);
	expect_damage(q, n + SEALED, "last one twice");
	memcpy(q, p, 2 * SEALED);
	memcpy(q + 2 * SEALED, p + SEALED, SEALED);
	expect_damage(q, n, "second one twice");
	free(q);
	free(p);
	spool_free(s);
}
END_TEST

START_TEST(test_wrong_key)
{
	uint8_t other[SPOOL_KEY];
	struct problem pr = {0};
	size_t sizes_[] = {0, 10}, n, got;
	uint8_t c;

	memcpy(other, key, sizeof other);
	other[31] ^= 1;
	for (int i = 0; i < 2; i++) {
		struct spool *s = make(sizes_[i], 10, 1000);
		uint8_t *p = sealed_copy(s, &n);
		struct spool *t = spool_open_mem(other, p, n);

		ck_assert_uint_gt(spool_reader(t)->size, 0);
		ck_assert_int_eq(stream_read_at(spool_reader(t), 0, &c, 1, &got, &pr), -1);
		ck_assert_uint_eq(got, 0);
		free(p);
		spool_free(t);
		spool_free(s);
	}
}
END_TEST

START_TEST(test_file_cut_short)
{
	struct spool *s = make(200000, 1000, 0);
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(ftruncate(spool_fd(s), 150000), 0);
	ck_assert_int_eq(read_all(s, &b, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "ends early"));
	buf_clear(&b);
	spool_free(s);
}
END_TEST

/* What the spool writes anywhere must not contain the content, in no alignment of 16 octets. */
START_TEST(test_nothing_in_clear)
{
	static const char words[] = "patient record 4711: the finding is negative\r\n";
	struct spool *s = spool_new(key, _i ? 1 << 20 : 0, dirfd_, -1, UINT64_MAX);
	struct problem pr;
	size_t n;

	for (int i = 0; i < 5000; i++)
		if (spool_add(s, words, sizeof words - 1, &pr))
			ck_abort_msg("%s", pr.text);
	ck_assert_int_eq(spool_finish(s, &pr), 0);

	uint8_t *p = sealed_copy(s, &n);

	ck_assert_uint_gt(n, 5000 * (sizeof words - 1));
	for (size_t at = 0; at + 8 < sizeof words; at++)
		ck_assert_ptr_null(memmem(p, n, words + at, 8));
	free(p);
	spool_free(s);
}
END_TEST

START_TEST(test_passes_sealed_through)
{
	static const size_t pieces[] = {1000, SEALED, 100000, 3 << 20};
	static const size_t memory[] = {0, 1 << 20};
	enum { N = 3 * SPOOL_CHUNK + 77 };
	struct spool *s = make(N, 9999, 4 << 20);
	struct problem pr = {0};
	size_t n;
	uint8_t *p = sealed_copy(s, &n);

	for (size_t m = 0; m < 2; m++) {
		struct spool *t = spool_new(key, memory[m], dirfd_, -1, N);

		for (size_t at = 0; at < n; at += pieces[_i]) {
			size_t k = n - at < pieces[_i] ? n - at : pieces[_i];

			ck_assert_int_eq(spool_add_sealed(t, p + at, k, &pr), 0);
		}
		ck_assert_int_eq(spool_finish(t, &pr), 0);
		expect_content(t, N);
		spool_free(t);
	}
	free(p);
	spool_free(s);
}
END_TEST

START_TEST(test_sealed_length_is_checked)
{
	static const size_t bad[] = {0, 1, 15, SEALED + 1, SEALED + 16};
	static const uint8_t junk[2 * SEALED];
	struct problem pr;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct spool *s = spool_new(key, 1 << 20, -1, -1, UINT64_MAX);

		ck_assert_int_eq(spool_add_sealed(s, junk, bad[i], &pr), 0);
		ck_assert_int_eq(spool_finish(s, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
		spool_free(s);
	}
}
END_TEST

START_TEST(test_limits)
{
	struct problem pr = {0};
	uint8_t *p = content(200000);
	struct spool *s = spool_new(key, 1 << 20, -1, -1, 100000);

	ck_assert_int_eq(spool_add(s, p, 100000, &pr), 0);
	ck_assert_int_eq(spool_add(s, p, 1, &pr), -1);
	ck_assert_int_eq(pr.code, 552);
	ck_assert_str_eq(pr.enh, "5.3.4");
	ck_assert_int_eq(spool_finish(s, &pr), -1);
	spool_free(s);

	s = spool_new(key, 70000, -1, -1, UINT64_MAX);
	ck_assert_int_eq(spool_add(s, p, 200000, &pr), -1);
	ck_assert_int_eq(pr.code, 452);
	ck_assert_str_eq(pr.enh, "4.3.1");
	spool_free(s);

	s = spool_new(key, 70000, -1, -1, 1000);
	ck_assert_int_eq(spool_add_sealed(s, p, 1017, &pr), -1);
	ck_assert_int_eq(pr.code, 552);
	spool_free(s);
	free(p);
}
END_TEST

START_TEST(test_scratch)
{
	int fd = memfd_create("scratch", MFD_CLOEXEC);
	static const char old[100000] = "old";
	struct problem pr;
	struct stat st;

	ck_assert_int_eq(write(fd, old, sizeof old), sizeof old);

	struct spool *s = spool_new(key, 0, -1, fd, UINT64_MAX);

	ck_assert_int_eq(spool_add(s, "abc", 3, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	ck_assert_int_eq(spool_fd(s), fd);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 3 + 16);
	spool_free(s);
	ck_assert_int_eq(fcntl(fd, F_GETFD) >= 0, 1); /* not owned */
	close(fd);
}
END_TEST

/* A limit on the size of files stands for a disk that is full. */
START_TEST(test_no_room)
{
	struct rlimit old, low;
	struct problem pr = {0};
	struct spool *s = spool_new(key, 0, dirfd_, -1, UINT64_MAX);
	uint8_t *p = content(300000);

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low = old;
	low.rlim_cur = 100000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);

	int r = spool_add(s, p, 300000, &pr);

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(pr.code, 452);
	ck_assert_int_eq(spool_finish(s, &pr), -1);
	spool_free(s);
	free(p);
}
END_TEST

START_TEST(test_references_and_writer)
{
	struct spool *s = spool_new(key, 1000, -1, -1, UINT64_MAX), *t = spool_ref(s);
	struct problem pr;
	uint8_t got[4];

	ck_assert_ptr_eq(s, t);
	ck_assert_int_eq(stream_write(spool_writer(s), "wxyz", 4, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	spool_free(s);
	ck_assert_int_eq(stream_read_full(spool_reader(t), 0, got, 4, &pr), 0);
	ck_assert_mem_eq(got, "wxyz", 4);
	ck_assert_mem_eq(spool_key(t), key, SPOOL_KEY);
	spool_free(t);
	spool_free(NULL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("spool");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_sizes, 0, NSIZES);
	tcase_add_loop_test(t, test_pieces, 0, 6);
	tcase_add_loop_test(t, test_positions, 0, 2);
	tcase_add_test(t, test_tamper);
	tcase_add_test(t, test_cut_and_reorder);
	tcase_add_test(t, test_wrong_key);
	tcase_add_test(t, test_file_cut_short);
	tcase_add_loop_test(t, test_nothing_in_clear, 0, 2);
	tcase_add_loop_test(t, test_passes_sealed_through, 0, 4);
	tcase_add_test(t, test_sealed_length_is_checked);
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_scratch);
	tcase_add_test(t, test_no_room);
	tcase_add_test(t, test_references_and_writer);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	if (!mkdtemp(dir) || (dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 1;

	int result = suite_run(suite());

	close(dirfd_);
	rmdir(dir);
	return result;
}
