#include "gateway/pipeline/entity.h"

#include <string.h>

static int entity_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct entity_reader *e = (struct entity_reader *)r;

	*got_r = 0;
	if (off >= r->size || n == 0)
		return 0;
	if (off < e->front_len) {
		size_t k = e->front_len - (size_t)off;

		if (k > n)
			k = n;
		memcpy(p, e->front + off, k);
		*got_r = k;
		return 0;
	}
	uint64_t left = r->size - off;
	return stream_read_at(e->of, e->off + (off - e->front_len), p, n < left ? n : (size_t)left, got_r, pr);
}

void entity_reader_init(struct entity_reader *e, const struct buf *front, struct reader *of, uint64_t off, uint64_t n)
{
	e->reader.read_at = entity_read_at;
	e->reader.size = front->len + n;
	e->front = front->p;
	e->front_len = front->len;
	e->of = of;
	e->off = off;
}

int entity_front(const struct header *h, struct buf *out)
{
	for (size_t i = 0; i < h->n; i++)
		if (header_is_content(&h->f[i]) && !header_is(&h->f[i], "MIME-Version"))
			if (buf_add(out, h->f[i].raw, h->f[i].raw_len) != 0)
				return -1;
	return buf_adds(out, "\r\n");
}

int entity_smime_inner(const char *smime_type, struct buf *out)
{
	return buf_addf(out,
	    "Content-Type: application/pkcs7-mime; smime-type=%s; name=\"smime.p7m\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n",
	    smime_type);
}

static int octets_write(struct writer *wr, const void *p, size_t n, struct problem *pr)
{
	struct entity_octets *o = (struct entity_octets *)wr;
	const uint8_t *q = p;
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= q[i];
	if (all & 0x80)
		o->eight_bit = true;
	return stream_write(o->to, p, n, pr);
}

void entity_octets_init(struct entity_octets *o, struct writer *to)
{
	o->writer.write = octets_write;
	o->to = to;
	o->eight_bit = false;
}
