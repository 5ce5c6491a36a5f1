/*
 * The keeper's messages. Role keeper and its clients. A struct field_io either writes into a packet or reads from
 * one; the functions below it describe each message once for both. See the header for the rules. No I/O here.
 */
#include "gateway/keys/keeper_proto.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* Exactly one of the two is set. */
struct field_io {
	struct ipc_out *out;
	struct ipc_in *in;
	bool bad;
};

static void field_u8(struct field_io *f, uint8_t *v, uint8_t least, uint8_t most)
{
	if (f->in)
		*v = ipc_get_u8(f->in);
	else
		ipc_put_u8(f->out, *v);
	if (*v < least || *v > most)
		f->bad = true;
}

static void field_u16(struct field_io *f, uint16_t *v)
{
	if (f->in)
		*v = ipc_get_u16(f->in);
	else
		ipc_put_u16(f->out, *v);
}

static void field_u32(struct field_io *f, uint32_t *v)
{
	if (f->in)
		*v = ipc_get_u32(f->in);
	else
		ipc_put_u32(f->out, *v);
}

static void field_octets(struct field_io *f, struct keeper_octets *v, size_t least, size_t most)
{
	if (f->in)
		v->p = ipc_get_bytes(f->in, &v->n);
	if (v->n < least || v->n > most) {
		f->bad = true;
		return;
	}
	if (f->out)
		ipc_put_bytes(f->out, v->p, v->n);
}

static void field_str(struct field_io *f, char *v, size_t cap)
{
	if (f->in)
		ipc_get_str(f->in, v, cap);
	else
		ipc_put_str(f->out, v);
}

/* A key length of AES: 16, 24 or 32 octets, or 0 when that is allowed. */
static void field_keylen(struct field_io *f, uint8_t *v, uint8_t least)
{
	field_u8(f, v, least, KEEPER_KEY_MAX);
	if (*v != 0 && *v != 16 && *v != 24 && *v != 32)
		f->bad = true;
}

static void field_md(struct field_io *f, uint8_t *v)
{
	field_u8(f, v, KEEPER_MD_SHA1, KEEPER_MD_SHA512);
}

/* ---- requests ---- */

static void msg_nothing(struct field_io *f, struct keeper_request *rq)
{
	(void)f;
	(void)rq;
}

static void msg_sign(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &rq->sign.pad, KEEPER_PAD_PKCS1, KEEPER_PAD_ECDSA);
	field_md(f, &rq->sign.md);
	field_u16(f, &rq->sign.salt);
	field_octets(f, &rq->sign.digest, 1, KEEPER_DIGEST_MAX);
}

static void msg_decrypt(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &rq->decrypt.pad, KEEPER_PAD_PKCS1, KEEPER_PAD_OAEP);
	if (rq->decrypt.pad != KEEPER_PAD_PKCS1 && rq->decrypt.pad != KEEPER_PAD_OAEP)
		f->bad = true;
	field_md(f, &rq->decrypt.md);
	field_md(f, &rq->decrypt.mgf_md);
	field_keylen(f, &rq->decrypt.want, 0);
	field_octets(f, &rq->decrypt.label, 0, KEEPER_LABEL_MAX);
	field_octets(f, &rq->decrypt.ciphertext, 0, KEEPER_CIPHERTEXT_MAX);
}

static void msg_agree(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_md(f, &rq->agree.md);
	field_keylen(f, &rq->agree.want, 16);
	field_octets(f, &rq->agree.point, 1, KEEPER_POINT_MAX);
	field_octets(f, &rq->agree.ukm, 0, KEEPER_UKM_MAX);
}

static void msg_wrap(struct field_io *f, struct keeper_request *rq)
{
	field_octets(f, &rq->key, KEYS_DATA_KEY, KEYS_DATA_KEY);
}

static void msg_unwrap(struct field_io *f, struct keeper_request *rq)
{
	field_octets(f, &rq->key, 1, KEYS_WRAPPED_MAX);
}

static void msg_generate(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &rq->make.use, KEYS_USE_SIGN, KEYS_USE_STATEMENT);
	field_u8(f, &rq->make.algo, KEYS_RSA_2048, KEYS_EC_P521);
}

static void msg_import(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &rq->make.use, KEYS_USE_SIGN, KEYS_USE_STATEMENT);
	field_octets(f, &rq->make.pkcs8, 1, KEEPER_PKCS8_MAX);
}

static void msg_certify(struct field_io *f, struct keeper_request *rq)
{
	struct keeper_certify *c = &rq->certify;

	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &c->kind, KEYS_CERT_CSR, KEYS_CERT_SELF);
	field_str(f, c->common_name, sizeof(c->common_name));
	field_str(f, c->organisation, sizeof(c->organisation));
	field_str(f, c->dns_name, sizeof(c->dns_name));
	field_str(f, c->rfc822_name, sizeof(c->rfc822_name));
	field_u32(f, &c->days);
}

static void msg_statement(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
	field_u8(f, &rq->attrs.pss, 0, 1);
	field_md(f, &rq->attrs.md);
	field_octets(f, &rq->attrs.der, 1, KEEPER_ATTRS_MAX);
}

static void msg_forget(struct field_io *f, struct keeper_request *rq)
{
	field_str(f, rq->id, sizeof(rq->id));
}

/* ---- replies ---- */

static void reply_nothing(struct field_io *f, struct keeper_reply *rp)
{
	(void)f;
	(void)rp;
}

static void reply_data(struct field_io *f, struct keeper_reply *rp)
{
	field_octets(f, &rp->data, 1, KEEPER_REPLY_MAX);
}

static void reply_status(struct field_io *f, struct keeper_reply *rp)
{
	field_u8(f, &rp->status.state, KEYS_READY, KEYS_SEALED);
	field_u32(f, &rp->status.nkeys);
}

static void reply_cek(struct field_io *f, struct keeper_reply *rp)
{
	struct keeper_octets all = {rp->cek.key, sizeof(rp->cek.key)};

	field_keylen(f, &rp->cek.len, 16);
	field_octets(f, &all, sizeof(rp->cek.key), sizeof(rp->cek.key));
	if (f->in && !f->bad && !f->in->bad)
		memcpy(rp->cek.key, all.p, sizeof(rp->cek.key));
}

static void reply_problem(struct field_io *f, struct problem *pr)
{
	uint8_t cls = (uint8_t)pr->cls;
	uint16_t code = (uint16_t)pr->code;

	field_u8(f, &cls, PROBLEM_TEMP, PROBLEM_POLICY);
	field_u16(f, &code);
	field_str(f, pr->enh, sizeof(pr->enh));
	field_str(f, pr->rfc, sizeof(pr->rfc));
	field_str(f, pr->text, sizeof(pr->text));
	pr->cls = cls;
	pr->code = code;
}

static const struct {
	const char *word;
	void (*request)(struct field_io *f, struct keeper_request *rq);
	void (*reply)(struct field_io *f, struct keeper_reply *rp);
} messages[KEEPER_MSG_END] = {
    [KEEPER_MSG_STATUS] = {"status", msg_nothing, reply_status},
    [KEEPER_MSG_SIGN] = {"sign", msg_sign, reply_data},
    [KEEPER_MSG_DECRYPT] = {"decrypt", msg_decrypt, reply_cek},
    [KEEPER_MSG_AGREE] = {"agree", msg_agree, reply_data},
    [KEEPER_MSG_WRAP] = {"wrap", msg_wrap, reply_data},
    [KEEPER_MSG_UNWRAP] = {"unwrap", msg_unwrap, reply_data},
    [KEEPER_MSG_GENERATE] = {"generate", msg_generate, reply_data},
    [KEEPER_MSG_IMPORT] = {"import", msg_import, reply_data},
    [KEEPER_MSG_CERTIFY] = {"certify", msg_certify, reply_data},
    [KEEPER_MSG_STATEMENT] = {"statement", msg_statement, reply_data},
    [KEEPER_MSG_FORGET] = {"forget", msg_forget, reply_nothing},
};

static bool known(unsigned msg)
{
	return msg > 0 && msg < KEEPER_MSG_END;
}

const char *keeper_proto_word(enum keeper_msg msg)
{
	return known(msg) ? messages[msg].word : "unknown";
}

bool keeper_proto_id_ok(const char *id)
{
	size_t n = strlen(id);

	if (n < 1 || n > KEYS_ID_MAX || id[0] == '.')
		return false;
	return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == n;
}

int keeper_proto_put_request(struct ipc_out *o, const struct keeper_request *rq)
{
	/* a copy, because the description is shared with reading and takes it writable */
	struct keeper_request copy = *rq;
	struct field_io f = {.out = o};

	REQUIRE(known(rq->msg));
	ipc_out_init(o, rq->msg, rq->seq);
	messages[rq->msg].request(&f, &copy);
	return f.bad || o->bad ? -1 : 0;
}

int keeper_proto_get_request(struct ipc_in *in, struct keeper_request *rq_r)
{
	struct field_io f = {.in = in};

	memset(rq_r, 0, sizeof(*rq_r));
	rq_r->seq = in->id;
	if (known(in->type)) {
		rq_r->msg = in->type;
		messages[rq_r->msg].request(&f, rq_r);
	} else {
		f.bad = true;
	}
	return ipc_end(in) || f.bad ? -1 : 0;
}

static void reply_fields(struct field_io *f, struct keeper_reply *rp)
{
	uint8_t ok = rp->ok;

	field_u8(f, &ok, 0, 1);
	rp->ok = ok == 1;
	if (rp->ok)
		messages[rp->msg].reply(f, rp);
	else
		reply_problem(f, &rp->problem);
}

int keeper_proto_put_reply(struct ipc_out *o, const struct keeper_reply *rp)
{
	struct keeper_reply copy = *rp;
	struct field_io f = {.out = o};

	REQUIRE(known(rp->msg));
	ipc_out_init(o, (uint16_t)(rp->msg | KEEPER_MSG_REPLY), rp->seq);
	reply_fields(&f, &copy);
	mem_wipe(&copy, sizeof(copy));
	return f.bad || o->bad ? -1 : 0;
}

int keeper_proto_get_reply(struct ipc_in *in, struct keeper_reply *rp_r)
{
	struct field_io f = {.in = in};

	memset(rp_r, 0, sizeof(*rp_r));
	rp_r->seq = in->id;
	if ((in->type & KEEPER_MSG_REPLY) && known(in->type & ~KEEPER_MSG_REPLY)) {
		rp_r->msg = in->type & ~KEEPER_MSG_REPLY;
		reply_fields(&f, rp_r);
	} else {
		f.bad = true;
	}
	return ipc_end(in) || f.bad ? -1 : 0;
}
