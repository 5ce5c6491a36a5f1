/*
 * What the parts of the relay role share. Each relay_*.c owns its own part; this is only the place where they meet.
 * One loop thread (sessions, delivery, schedule) and the queue's writer thread. The relay holds no private key, no
 * store and reads no MIME, CMS or ASN.1 of messages.
 */
#ifndef POSTERN_PROC_RELAY_H
#define POSTERN_PROC_RELAY_H

#include <openssl/ssl.h>

#include "gateway/base/arena.h"
#include "gateway/base/loop.h"
#include "gateway/keys/datakeys.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/conf.h"
#include "gateway/queue/queue.h"
#include "gateway/smtp/smtpc.h"

struct history;
struct relay_ask;
struct relay_trust;
struct relay_jobs;
struct relay_hops;
struct relay_deliver;
struct relay_accept;
struct relay_failures;
struct relay_held;
struct relay_rcpts;
struct relay_xsmg;

struct relay {
	struct loop *loop;
	const struct conf *conf;
	const struct conf_top *top;
	struct keys_client *keys;
	struct datakeys *datakeys;
	enum keys_state keeper; /* as the parent last said */
	bool stopping;
	size_t opening;	       /* raw messages being opened (relay_open.c) */
	size_t opening_judged; /* of them, those that wait for the judge: it may have to ask the network */
	struct queue *queue;
	struct history *history; /* what became of messages; NULL: not remembered */
	int spool_dir;		 /* descriptor: O_TMPFILE files are made below it */
	struct smtpc_pool *pool;
	X509_STORE **client_cas;       /* of each listener: client-ca-file, NULL none */
	SSL_CTX *tls_any, *tls_verify; /* client side: any certificate / CA and name */
	SSL_CTX *tls_sts;	       /* CA and a name in subjectAltName; NULL with tls_verify */
	struct relay_ask *ask;
	struct relay_trust *trust; /* what it said of signers lately */
	struct relay_jobs *jobs;
	struct relay_hops *hops;
	struct relay_deliver *deliver;
	struct relay_accept *accept;
	struct relay_failures *failures;
	struct relay_failures *crashes; /* messages over which a sealer died */
	struct relay_rcpts *rcpts;
	struct relay_held *held;
	struct relay_xsmg *xsmg;
};

/* authserv-id as configured, else the host name. */
const char *relay_authserv(const struct relay *r);
const char *relay_postmaster(const struct relay *r);
/* A fresh data key. */
void relay_data_key(uint8_t key[KEYS_DATA_KEY]);

#endif
