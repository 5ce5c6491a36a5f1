/* Unpacking. Sealer and tests. RFC 3274 2: zlib's own format (RFC 1950), whose check sum zlib verifies. */
#include "gateway/cms/cms_compress.h"

#include <string.h>
#include <zlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { CHUNK = 65536 };

struct unpack {
	z_stream z;
	uint64_t in, out, max;
	bool ended;
	struct writer *to;
	uint8_t chunk[CHUNK];
};

static int too_large(const struct unpack *u, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.3.4", "RFC 3274",
	    "The compressed message unpacks into more than the %llu octets that are allowed.",
	    (unsigned long long)u->max);
}

static int check_size(const struct unpack *u, struct problem *pr)
{
	if (u->out > u->max)
		return too_large(u, pr);
	if (u->out > CMS_COMPRESS_FREE && u->out / CMS_COMPRESS_RATIO > u->in)
		return problem_set(pr, PROBLEM_PERM, 554, "5.3.4", "RFC 3274",
		    "The compressed message unpacks into more than %d times its size: it is made to fill memory or "
		    "disks.",
		    CMS_COMPRESS_RATIO);
	return 0;
}

static int damaged(const char *why, struct problem *pr)
{
	return problem_perm(pr, "The compressed message cannot be unpacked: %s.", why);
}

/* All that comes out of what is at hand. */
static int step(struct unpack *u, struct problem *pr)
{
	int r;

	do {
		u->z.next_out = u->chunk;
		u->z.avail_out = CHUNK;
		r = inflate(&u->z, Z_NO_FLUSH);
		if (r == Z_MEM_ERROR)
			log_fatal("cms: no memory to unpack");
		if (r == Z_NEED_DICT)
			return damaged("it needs a dictionary, which nobody has (RFC 1950 2.2)", pr);
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return damaged(u->z.msg != NULL ? u->z.msg : "it is no zlib data", pr);
		u->out += CHUNK - u->z.avail_out;
		if (check_size(u, pr) == -1)
			return -1;
		if (u->z.avail_out < CHUNK && stream_write(u->to, u->chunk, CHUNK - u->z.avail_out, pr) == -1)
			return -1;
	} while (u->z.avail_out == 0 && r == Z_OK);
	u->ended = r == Z_STREAM_END;
	return 0;
}

static int unpack(struct unpack *u, struct cms_content *c, struct problem *pr)
{
	const uint8_t *p;
	size_t n;
	int r;

	while ((r = cms_content_next(c, &p, &n, pr)) == 1) {
		REQUIRE(n <= BER_WINDOW);
		if (u->ended && n > 0)
			return damaged("octets follow behind its end", pr);
		u->in += n;
		u->z.next_in = (z_const Bytef *)p;
		u->z.avail_in = (uInt)n;
		if (step(u, pr) == -1)
			return -1;
		if (u->z.avail_in > 0)
			return damaged("octets follow behind its end", pr);
	}
	if (r == 0 && !u->ended)
		return damaged("it is cut off", pr);
	return r;
}

int cms_uncompress(struct cms_outline *o, uint64_t max, struct writer *out, struct problem *pr)
{
	struct cms_content c;
	struct unpack *u;
	int r;

	if (cms_outline_check(o, pr) == -1)
		return -1;
	if (cms_outline_kind(o) != CMS_KIND_COMPRESSED)
		return problem_perm(pr, "The message is not a compressed one.");
	if (cms_outline_content(o, &c, pr) == -1)
		return -1;
	u = mem_new(sizeof(*u));
	u->max = max;
	u->to = out;
	if (inflateInit(&u->z) != Z_OK)
		log_fatal("cms: zlib does not start: %s", u->z.msg != NULL ? u->z.msg : "no reason given");
	r = unpack(u, &c, pr);
	inflateEnd(&u->z);
	mem_free_secret(u, sizeof(*u));
	cms_content_close(&c);
	return r;
}
