/*
 * One request for a page of the web UI to a running gateway, over its control socket and without HTTP:
 * ui SOCKET GET|POST PATH ROLE [FIELD=VALUE ...] > page. The first line is the status and where it leads.
 * GET's fields are those of the query; POST's form gets the right csrf by itself, unless it has one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "admin-ui/page/page_json.h"
#include "certstore/admin_proto.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/web_page.h"

enum { WAIT_MS = 60000 };

static const char *socket_path;
static struct web_page *page;

static int reach(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (mem_copy_str(un.sun_path, sizeof un.sun_path, socket_path) != 0 || fd < 0 ||
	    connect(fd, (struct sockaddr *)&un, sizeof un) != 0)
		log_fatal("the gateway cannot be reached");
	return fd;
}

/* The reply of the gateway as JSON. */
static json_t *converse(char *text)
{
	struct admin_request rq = {.text = text};
	struct admin_reply r = {.text = NULL};
	struct ipc_out o;
	struct ipc_in in;
	struct buf store;
	int fd = reach(), made;
	json_t *reply;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	buf_init(&store, IPC_PACKET_MAX);
	if (admin_request_put(&o, &rq, &made) != 0 || ipc_send(fd, &o, WAIT_MS) != 0 ||
	    ipc_recv(fd, &store, &in, WAIT_MS) != 1 || admin_reply_get(&in, &r) != 0)
		log_fatal("no answer");
	reply = json_loads(r.text, 0, NULL);
	ipc_out_clear(&o);
	buf_clear(&store);
	free(r.text);
	close(fd);
	return reply;
}

static void ask(void *ctx, enum page_whom whom, const char *verb, json_t *args)
{
	json_t *o = json_pack("{s:s, s:o}", "verb", verb, "args", args), *reply, *data;
	char *text = json_dumps(o, JSON_COMPACT);

	(void)ctx;
	reply = converse(text);
	data = json_object_get(reply, "data");
	if (strcmp(verb, "status") == 0) /* the command's has both in one */
		data = json_object_get(data, whom == PAGE_JUDGE ? "judge" : "relay");
	web_page_said(page, data, page_json_str(reply, "error.code"), page_json_str(reply, "error.text"));
	json_decref(reply);
	json_decref(o);
	free(text);
}

static void finish(void *ctx, unsigned status, const struct buf *html)
{
	(void)ctx;
	(void)printf("%u\n", status);
	(void)fwrite(html->p, 1, html->len, stdout);
}

static void redirect(void *ctx, const char *where)
{
	(void)ctx;
	(void)printf("303 %s\n", where);
}

/* A name that comes again makes an array. */
static void add_field(json_t *o, char *field)
{
	char *value = strchr(field, '=');
	json_t *old;

	if (!value)
		return;
	*value++ = '\0';
	old = json_object_get(o, field);
	if (!old)
		page_json_set(o, field, page_json_text(value));
	else if (json_is_array(old))
		page_json_add(old, page_json_text(value));
	else
		page_json_set(o, field, json_pack("[O, s]", old, value));
}

int main(int argc, char **argv)
{
	static const struct web_page_door door = {ask, finish, redirect};
	json_t *fields = json_object(), *none = json_object();
	struct web_page_asked a = {.user = "anna", .csrf = "token", .now = (int64_t)time(NULL)};

	if (argc < 5)
		return 2;
	socket_path = argv[1];
	a.post = strcmp(argv[2], "POST") == 0;
	a.path = argv[3];
	a.role = (enum page_role)strtol(argv[4], NULL, 10);
	for (int i = 5; i < argc; i++)
		add_field(fields, argv[i]);
	if (a.post && !json_object_get(fields, "csrf"))
		page_json_set(fields, "csrf", json_string("token"));
	a.query = a.post ? none : fields;
	a.form = a.post ? fields : NULL;
	page = web_page_new(&a, &door, NULL);
	web_page_begin(page);
	web_page_free(page);
	json_decref(fields);
	json_decref(none);
	return 0;
}
