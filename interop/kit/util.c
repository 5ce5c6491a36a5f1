#include "interop/kit/util.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/visible.h"

enum { FILE_MAX = 1 << 30 };

void die(const char *format, ...)
{
	struct buf shown = {0};
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		_exit(2);
	va_end(ap);
	for (const char *p = text; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n')) {
		visible_add(&shown, p, strcspn(p, "\n"));
		buf_adds(&shown, "\n");
	}
	fprintf(stderr, "postern-interop: %s", shown.p ? shown.p : "\n");
	free(text);
	buf_free(&shown);
	exit(2);
}

void *need(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		die("out of memory");
	return p;
}

void *need_more(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		die("out of memory");
	return p;
}

static void room_for(struct buf *b, size_t n)
{
	if (n > SIZE_MAX / 4 || b->n > SIZE_MAX / 4)
		die("out of memory");
	if (b->n + n + 1 <= b->room)
		return;
	b->room = b->room ? b->room : 64;
	while (b->room < b->n + n + 1)
		b->room *= 2;
	b->p = need_more(b->p, b->room);
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	room_for(b, n);
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static void add_formatted(struct buf *b, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

static void add_formatted(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		die("a text could not be put together: %s", format);
	room_for(b, (size_t)n);
	vsnprintf(b->p + b->n, (size_t)n + 1, format, ap);
	b->n += (size_t)n;
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_formatted(b, format, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	if (b->p)
		b->p[0] = 0;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

int fail(struct buf *why, const char *format, ...)
{
	va_list ap;

	if (why) {
		if (why->n > 0)
			buf_adds(why, "; ");
		va_start(ap, format);
		add_formatted(why, format, ap);
		va_end(ap);
	}
	return -1;
}

char *text_cut(const char *s, size_t n)
{
	char *p = need(n + 1);

	memcpy(p, s, n);
	return p;
}

char *text_copy(const char *s)
{
	return text_cut(s, strlen(s));
}

char *text_make(const char *format, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, format);
	add_formatted(&b, format, ap);
	va_end(ap);
	return b.p;
}

const char *octets_find(const char *hay, size_t n, const char *needle)
{
	return n == 0 ? NULL : memmem(hay, n, needle, strlen(needle));
}

bool text_is_word_in(const char *word, const char *list)
{
	size_t n = strlen(word);

	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");

		if (len == n && !strncmp(p, word, n))
			return true;
		p += len + (p[len] == ',');
	}
	return false;
}

static int read_all(int fd, const char *path, size_t max, struct buf *out, struct buf *why)
{
	char part[16384];
	size_t had = out->n;
	ssize_t n;

	if (fd < 0)
		return fail(why, "%s: %s", path, strerror(errno));
	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && out->n - had + (size_t)n > max)
			return fail(why, "%s is larger than %zu octets", path, max);
		if (n > 0)
			buf_add(out, part, (size_t)n);
	}
	buf_add(out, "", 0);
	return n < 0 ? fail(why, "%s: %s", path, strerror(errno)) : 0;
}

int file_read(const char *path, struct buf *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = read_all(fd, path, FILE_MAX, out, why);

	if (fd >= 0)
		close(fd);
	return rc;
}

int file_read_plain(const char *path, size_t max, struct buf *out, struct buf *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		rc = fail(why, "%s is not a file", path);
	else
		rc = read_all(fd, path, max, out, why);
	if (fd >= 0)
		close(fd);
	return rc;
}

int file_write(const char *path, const void *p, size_t n, unsigned mode, struct buf *why)
{
	char *part = text_make("%s.new", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode), rc = -1;
	size_t done = 0;

	if (fd < 0) {
		fail(why, "%s: %s", part, strerror(errno));
		goto out;
	}
	while (done < n) {
		ssize_t w = write(fd, (const char *)p + done, n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			fail(why, "%s: %s", part, strerror(errno));
			goto out;
		}
		done += (size_t)w;
	}
	if (close(fd) < 0 || rename(part, path) < 0)
		fail(why, "%s: %s", path, strerror(errno));
	else
		rc = 0;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		unlink(part);
	free(part);
	return rc;
}

bool file_there(const char *path)
{
	return access(path, F_OK) == 0;
}

int directory_make(const char *path, struct buf *why)
{
	char *p = text_copy(path);

	for (char *s = strchr(p + 1, '/');; s = strchr(s + 1, '/')) {
		if (s)
			*s = 0;
		if (mkdir(p, 0755) < 0 && errno != EEXIST) {
			fail(why, "%s: %s", p, strerror(errno));
			free(p);
			return -1;
		}
		if (!s)
			break;
		*s = '/';
	}
	free(p);
	return 0;
}

void sha256_of(const void *p, size_t n, unsigned char out[32])
{
	if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1)
		die("SHA-256 does not work");
}

void hex_add(struct buf *b, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", ((const unsigned char *)p)[i]);
}

void base64_add(struct buf *b, const void *p, size_t n, unsigned line)
{
	size_t step = line ? line / 4 * 3 : n;

	if (n == 0)
		return;
	if (step == 0)
		step = 3;
	for (size_t at = 0; at < n; at += step) {
		size_t len = n - at < step ? n - at : step;

		room_for(b, (len + 2) / 3 * 4 + 1);
		b->n +=
		    (size_t)EVP_EncodeBlock((unsigned char *)b->p + b->n, (const unsigned char *)p + at, (int)len);
		if (line)
			buf_adds(b, "\r\n");
	}
}

static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int base64_read(const char *p, size_t n, struct buf *out)
{
	unsigned bits = 0, digits = 0, pads = 0;

	for (size_t i = 0; i < n; i++) {
		int d = digit_of(p[i]);

		if (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n')
			continue;
		if (p[i] == '=') {
			pads++;
			continue;
		}
		if (d < 0 || pads > 0)
			return -1;
		bits = bits << 6 | (unsigned)d;
		if (++digits % 4 == 0)
			buf_add(out, (char[3]){(char)(bits >> 16), (char)(bits >> 8), (char)bits}, 3);
	}
	if (digits % 4 == 1 || (digits + pads) % 4 != 0 || pads > 2)
		return -1;
	if (digits % 4 == 2)
		buf_add(out, (char[1]){(char)(bits >> 4)}, 1);
	if (digits % 4 == 3)
		buf_add(out, (char[2]){(char)(bits >> 10), (char)(bits >> 2)}, 2);
	return 0;
}

void base64url_add(struct buf *b, const void *p, size_t n)
{
	size_t at = b->n;

	base64_add(b, p, n, 0);
	for (size_t i = at; i < b->n; i++)
		if (b->p[i] == '+' || b->p[i] == '/')
			b->p[i] = b->p[i] == '+' ? '-' : '_';
	while (b->n > at && b->p[b->n - 1] == '=')
		b->p[--b->n] = 0;
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ticks_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void pause_ms(int64_t ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (ms > 0 && nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

int span_read(const char *text, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || errno || n > 4000000 || n < -4000000)
		return -1;
	if (n == 0 && !*end) {
		*ms = 0;
		return 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].name)) {
			*ms = n * units[i].ms;
			return 0;
		}
	return -1;
}

void time_add_rfc5322(struct buf *b, time_t t)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_addf(b, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void time_add_iso(struct buf *b, time_t t)
{
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

int number_read(const char *text, long low, long high, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	return end == text || *end || errno || *out < low || *out > high ? -1 : 0;
}
