#include "gateway/proc/control_proto.h"

#include <string.h>
#include <unistd.h>

const char *control_role_word(enum control_role r)
{
	static const char *const words[ROLE_COUNT] = {
	    "parent", "keeper", "judge", "scout", "sealer", "relay", "admin", "public", "web", "opener"};

	return r < ROLE_COUNT ? words[r] : "unknown";
}

/* A descriptor taken from a packet that turns out to be bad must not stay open. */
static int end(struct ipc_in *in, int *fd)
{
	if (ipc_end(in) == 0)
		return 0;
	if (fd != NULL && *fd >= 0)
		close(*fd);
	return -1;
}

static uint8_t role(struct ipc_in *in)
{
	uint8_t r = ipc_get_u8(in);

	if (r >= ROLE_COUNT)
		in->bad = true;
	return r;
}

void control_start_put(struct ipc_out *o, const struct control_start *m)
{
	ipc_put_u8(o, m->role);
	ipc_put_u32(o, m->index);
	ipc_put_u32(o, m->uid);
	ipc_put_u32(o, m->gid);
	ipc_put_str(o, m->file);
	ipc_put_fd(o, m->fd);
}

int control_start_get(struct ipc_in *in, struct control_start *m)
{
	m->role = role(in);
	m->index = ipc_get_u32(in);
	m->uid = ipc_get_u32(in);
	m->gid = ipc_get_u32(in);
	ipc_get_str(in, m->file, sizeof(m->file));
	m->fd = ipc_get_fd(in);
	return end(in, &m->fd);
}

void control_peer_put(struct ipc_out *o, const struct control_peer *m)
{
	ipc_put_u8(o, m->role);
	ipc_put_u32(o, m->index);
	ipc_put_fd(o, m->fd);
}

int control_peer_get(struct ipc_in *in, struct control_peer *m)
{
	m->role = role(in);
	m->index = ipc_get_u32(in);
	m->fd = ipc_get_fd(in);
	return end(in, &m->fd);
}

void control_file_put(struct ipc_out *o, const struct control_file *m)
{
	ipc_put_str(o, m->name);
	ipc_put_bytes(o, m->p, m->n);
}

int control_file_get(struct ipc_in *in, struct control_file *m)
{
	ipc_get_str(in, m->name, sizeof(m->name));
	m->p = ipc_get_bytes(in, &m->n);
	if (m->n > CONTROL_FILE_MAX)
		in->bad = true;
	return end(in, NULL);
}

void control_state_put(struct ipc_out *o, const struct control_state *m)
{
	ipc_put_u8(o, m->state);
	ipc_put_u32(o, m->keys);
}

int control_state_get(struct ipc_in *in, struct control_state *m)
{
	m->state = ipc_get_u8(in);
	m->keys = ipc_get_u32(in);
	return end(in, NULL);
}

void control_ack_put(struct ipc_out *o, const struct control_ack *m)
{
	ipc_put_u8(o, m->ok);
	ipc_put_str(o, m->text);
}

int control_ack_get(struct ipc_in *in, struct control_ack *m)
{
	m->ok = ipc_get_u8(in) == 1;
	ipc_get_str(in, m->text, sizeof(m->text));
	return end(in, NULL);
}
