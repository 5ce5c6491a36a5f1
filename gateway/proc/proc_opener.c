/*
 * Role opener. Started for one PKCS#12 file, and gone after it.
 * holds:   that file, its password and its private key, for a moment
 * may:     answer judge, once; 5 s of the processor, 512 MiB of memory
 * accepts: one request of judge, with a file that a browser sent
 * never:   files, network, threads, the store, exec, ptrace
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "certstore/p12.h"
#include "gateway/base/encode.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/proc.h"

enum { SECONDS = 5, MEMORY = 512, LONGEST_MS = 20000 };

static struct {
	struct loop *loop;
	struct ipc_chan *judge;
	int judge_fd;
} me = {.judge_fd = -1};

static json_t *b64(const void *p, size_t n)
{
	char *text = mem_new(4 * (n / 3) + 8);
	json_t *v;

	(void)encode_b64(p, n, text);
	v = admin_json_text(text);
	mem_free_secret(text, strlen(text));
	return v;
}

/* {key, certs} */
static json_t *told(const struct p12 *p, struct problem *pr)
{
	json_t *o = NULL;
	size_t n;
	unsigned char *der = p12_key(p, &n, pr);
	BIO *certs = der ? p12_certs(p, pr) : NULL;
	char *text;
	long len = certs ? BIO_get_mem_data(certs, &text) : 0;

	if (len > 0) {
		o = json_object();
		admin_json_set(o, "key", b64(der, n));
		admin_json_set(o, "certs", b64(text, (size_t)len));
	}
	OPENSSL_clear_free(der, n);
	BIO_free(certs);
	return o;
}

static char *answer(const char *request)
{
	json_t *o = json_loads(request, JSON_REJECT_DUPLICATES, NULL), *data = NULL;
	const char *content = json_string_value(json_object_get(o, "content"));
	const char *password = json_string_value(json_object_get(o, "password"));
	size_t room = content ? strlen(content) : 0;
	uint8_t *file = mem_new(room + 1);
	long n = content ? encode_unb64(content, room, file, room) : -1;
	struct problem pr = {0};
	struct p12 p = {.key = NULL};

	if (n < 0 || !password)
		problem_perm(&pr, "it is not base64");
	else if (p12_open(file, (size_t)n, password, &p, &pr) == 0)
		data = told(&p, &pr);
	p12_clear(&p);
	mem_free_secret(file, room);
	json_decref(o);
	return data ? admin_json_ok(data) : admin_json_error("refused", pr.text);
}

static void ended(void *ctx)
{
	(void)ctx;
	loop_stop(me.loop);
}

static void from_judge(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct admin_request rq = {.text = NULL};
	struct admin_reply rp = {.text = NULL};
	struct ipc_out o;
	int made = -1;

	(void)ctx;
	if (in->type != ADMIN_PROTO_REQUEST || admin_request_get(in, &rq) != 0)
		log_fatal("the judge's request cannot be read");
	rp.text = answer(rq.text);
	mem_free_secret(rq.text, strlen(rq.text));
	ipc_out_init(&o, ADMIN_PROTO_REPLY, in->id);
	if (admin_reply_put(&o, &rp, &made) != 0 || ipc_chan_send(c, &o) != 0)
		log_warn(NULL, "opener", "cannot-answer to=judge");
	if (made >= 0)
		close(made);
	mem_free_secret(rp.text, strlen(rp.text));
}

/* The judge has what it wanted. */
static void judge_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)c;
	(void)why;
	loop_stop(me.loop);
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	if (in->type == CONTROL_STOP) {
		if (me.loop)
			loop_stop(me.loop);
		return 0;
	}
	if (in->type != CONTROL_PEER || control_peer_get(in, &p) != 0 || p.role != ROLE_JUDGE)
		return -1;
	if (me.loop || me.judge_fd >= 0) /* a judge that did not ask for this one */
		close(p.fd);
	else
		me.judge_fd = p.fd;
	return 0;
}

static int run(struct child *c)
{
	static const struct ipc_chan_ops ops = {from_judge, judge_gone};
	const struct sandbox s = {.net = SANDBOX_NET_NONE};
	const struct rlimit cpu = {SECONDS, SECONDS}, memory = {(rlim_t)MEMORY << 20, (rlim_t)MEMORY << 20};
	struct loop_timer *timer;

	if (me.judge_fd < 0)
		return 0;
	p12_prepare();
	admin_json_init();
	me.loop = loop_new();
	if (setrlimit(RLIMIT_CPU, &cpu) != 0 || (!SANDBOX_SAN && setrlimit(RLIMIT_AS, &memory) != 0))
		log_fatal("no limits of memory and time");
	child_control(c, me.loop, &proc_opener_role);
	json_object_seed(0); /* opens a file */
	child_sandbox(c, &s);
	me.judge = ipc_chan_new(me.loop, me.judge_fd, &ops, NULL);
	timer = loop_timer_new(me.loop, ended, NULL);
	loop_timer_set(timer, LONGEST_MS);
	child_ready(c);
	loop_run(me.loop);
	return 0;
}

const struct child_role proc_opener_role = {message, run};
