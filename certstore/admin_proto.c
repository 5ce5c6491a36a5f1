#include "certstore/admin_proto.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/mem.h"

enum { INLINE_MAX = 48 * 1024 };

/* u8: 0 = text inline, 1 = text in the first descriptor. */
static int text_put(struct ipc_out *o, const char *text, int *made_r)
{
	size_t n = strlen(text);
	int fd;

	*made_r = -1;
	if (n <= INLINE_MAX) {
		ipc_put_u8(o, 0);
		ipc_put_bytes(o, text, n);
		return 0;
	}
	fd = file_memfd("postern-text", text, n);
	if (fd < 0 || n > ADMIN_PROTO_TEXT_MAX) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	ipc_put_u8(o, 1);
	ipc_put_fd(o, fd);
	*made_r = fd;
	return 0;
}

static char *text_from_fd(int fd)
{
	struct buf b;
	struct problem pr;
	char *text = NULL;

	buf_init(&b, ADMIN_PROTO_TEXT_MAX);
	if (fd >= 0 && file_read_fd(fd, &b, &pr) == 0)
		text = mem_dup(buf_str(&b), b.len);
	buf_clear(&b);
	if (fd >= 0)
		close(fd);
	return text;
}

static char *text_get(struct ipc_in *in)
{
	uint8_t where = ipc_get_u8(in);
	const uint8_t *p;
	char *text;
	size_t n;

	if (where == 1) {
		text = text_from_fd(ipc_get_fd(in));
	} else {
		p = ipc_get_bytes(in, &n);
		text = in->bad || where != 0 ? NULL : mem_dup(n > 0 ? (const void *)p : "", n);
	}
	if (text == NULL)
		in->bad = true;
	return text;
}

int admin_request_put(struct ipc_out *o, const struct admin_request *m, int *made_r)
{
	ipc_put_str(o, m->who);
	return text_put(o, m->text, made_r);
}

int admin_request_get(struct ipc_in *in, struct admin_request *m)
{
	ipc_get_str(in, m->who, sizeof(m->who));
	m->text = text_get(in);
	if (ipc_end(in) == 0)
		return 0;
	free(m->text);
	m->text = NULL;
	return -1;
}

int admin_reply_put(struct ipc_out *o, const struct admin_reply *m, int *made_r)
{
	if (text_put(o, m->text, made_r) != 0)
		return -1;
	ipc_put_u8(o, (uint8_t)m->nfds);
	for (int i = 0; i < m->nfds; i++)
		ipc_put_fd(o, m->fds[i]);
	return 0;
}

int admin_reply_get(struct ipc_in *in, struct admin_reply *m)
{
	m->text = text_get(in);
	m->nfds = 0;
	int n = ipc_get_u8(in);
	for (int i = 0; i < n && i < ADMIN_PROTO_FILES_MAX && !in->bad; i++)
		m->fds[m->nfds++] = ipc_get_fd(in);
	if (n > ADMIN_PROTO_FILES_MAX)
		in->bad = true;
	if (ipc_end(in) == 0)
		return 0;
	for (int i = 0; i < m->nfds; i++)
		if (m->fds[i] >= 0)
			close(m->fds[i]);
	free(m->text);
	m->text = NULL;
	m->nfds = 0;
	return -1;
}
