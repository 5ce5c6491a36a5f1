/* Every layer and every damage of make_message, read by the command line of OpenSSL, and by gpgsm and cmsutil where
 * they are installed. */
#include "damage.h"
#include "fake_world.h"
#include "make_message.h"
#include "messages.h"
#include "mime.h"

#include <stdlib.h>
#include <string.h>

static void save(struct bench *b, const char *name, const void *p, size_t n)
{
	char *path = text_make("%s/%s", b->dir, name);
	struct buf why = {0};

	if (file_write(path, p, n, 0600, &why) < 0)
		die("%s", why.p);
	free(path);
}

static int verify(struct bench *b, const char *file, struct buf *out)
{
	const char *argv[] = {"openssl", "cms", "-verify", "-in", file, "-CAfile", "ca.pem", "-certfile", "sig.pem",
	    "-purpose", "any", NULL};

	return bench_run(b, out, argv);
}

static int decrypt(struct bench *b, const char *file, const char *name, struct buf *out)
{
	char *cert = text_make("%s.pem", name), *key = text_make("%s.key", name);
	const char *argv[] = {"openssl", "cms", "-decrypt", "-in", file, "-recip", cert, "-inkey", key, "-provider",
	    "legacy", "-provider", "default", NULL};
	int rc = bench_run(b, out, argv);

	free(cert);
	free(key);
	return rc;
}

static bool has(const struct buf *b, const char *text)
{
	return octets_find(b->p, b->n, text) != NULL;
}

/* how: "verify", or the name of who decrypts; then good: OpenSSL is content and the text is there. */
static void table(struct bench *b)
{
	static const struct {
		const char *layers, *how;
		bool good;
	} rows[] = {
	    {"sign by=sig", "verify", true},
	    {"sign by=sig form=opaque hash=sha512", "verify", true},
	    {"sign by=sig form=detached", "verify", true},
	    {"sign by=sig form=detached hash=sha384 padding=pss", "verify", true},
	    {"sign by=ecsig", "verify", true},
	    {"sign by=sig certs=none", "verify", true},
	    {"sign by=sig certs=leaf type=domainSig", "verify", true},
	    {"sign by=sig attributes=no", "verify", true},
	    {"sign by=sig attributes=twice", "verify", false},
	    {"sign by=sig time=-1h capabilities=rc2,des3", "verify", true},
	    {"sign by=sig,ecsig", "verify", true},
	    {"encrypt to=enc", "enc", true},
	    {"encrypt to=enc,other", "other", true},
	    {"encrypt to=enc", "other", false},
	    {"encrypt to=gateway", "genc", true},
	    {"encrypt to=enc cipher=aes128-cbc keys=oaep-sha1", "enc", true},
	    {"encrypt to=enc cipher=aes192-cbc keys=oaep-sha256", "enc", true},
	    {"encrypt to=enc cipher=aes256-gcm", "enc", true},
	    {"encrypt to=enc cipher=aes128-gcm keys=oaep-sha256", "enc", true},
	    {"encrypt to=enc cipher=des3", "enc", true},
	    {"encrypt to=enc cipher=rc2", "enc", true},
	    {"encrypt to=ec keys=ecdh", "ec", true},
	    {"encrypt to=ec keys=ecdh cipher=aes256-gcm", "ec", true},
	    {"encrypt to=enc ski=yes", "enc", true},
	    {"encrypt to=ec keys=ecdh ski=yes", "ec", true},
	    {"encrypt to=enc stream=yes", "enc", true},
	    {"encrypt to=enc cipher=aes256-gcm stream=yes", "enc", true},
	    {"encrypt to=sig", "sig", true},
	    {"encrypt to=enc\nbase64 line=500", "enc", true},
	    {"wrap\nencrypt to=enc", "enc", true},
	    {"protect\nencrypt to=enc", "enc", true},
	    {"sign by=sig\ndamage content", "verify", false},
	    {"sign by=sig\ndamage tail", "verify", false},
	    {"sign by=sig\ndamage text", "verify", false},
	    {"sign by=sig form=detached\ndamage text", "verify", false},
	    {"sign by=sig form=detached\ndamage part", "verify", false},
	    {"sign by=sig\ndamage signature", "verify", false},
	    {"sign by=sig form=detached\ndamage signature", "verify", false},
	    {"sign by=sig\ndamage digest", "verify", false},
	    {"sign by=sig\ndamage truncate", "verify", false},
	    {"sign by=sig\ndamage length", "verify", false},
	    {"sign by=sig\ndamage nest", "verify", false},
	    {"encrypt to=enc\ndamage tail", "enc", false},
	    {"encrypt to=enc cipher=aes256-gcm\ndamage content", "enc", false},
	    {"encrypt to=enc cipher=aes256-gcm\ndamage tag", "enc", false},
	    /* OpenSSL believes a right tag of any length: it is for the judge, and the gateway, to refuse it */
	    {"encrypt to=enc cipher=aes256-gcm\ndamage tag-short", "enc", true},
	    {"encrypt to=enc cipher=aes256-gcm stream=yes\ndamage tag-short", "enc", true},
	    {"encrypt to=enc\ndamage key", "enc", false},
	    {"encrypt to=ec keys=ecdh\ndamage key", "ec", false},
	    {"encrypt to=enc\ndamage truncate", "enc", false},
	    {"encrypt to=enc\ndamage length", "enc", false},
	    {"encrypt to=enc\ndamage nest", "enc", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf m = {0}, out = {0};
		char *layers = text_make("| The dose is ten {nonce}.\n%s", rows[i].layers);
		bool good;

		bench_message(b, layers, &m);
		save(b, "m.eml", m.p, m.n);
		good = (strcmp(rows[i].how, "verify") ? decrypt(b, "m.eml", rows[i].how, &out)
						      : verify(b, "m.eml", &out)) == 0 &&
		       has(&out, "The dose is ten") && has(&out, b->s.nonce);
		check(good == rows[i].good, "openssl cms is %s with \"%s\" (%s): %.300s",
		    good ? "content" : "not content", rows[i].layers, rows[i].how, out.p);
		free(layers);
		buf_free(&m);
		buf_free(&out);
	}
}

/* What a CBC message becomes with a bit turned: it may well decrypt, but not to what it was. */
static void cbc_content(struct bench *b)
{
	struct buf m = {0}, out = {0};

	bench_message(b,
	    "| The dose is ten, and the dose is ten, and the dose is ten, and the dose is ten.\nencrypt "
	    "to=enc\ndamage content",
	    &m);
	save(b, "m.eml", m.p, m.n);
	decrypt(b, "m.eml", "enc", &out);
	check(!has(&out, "is ten, and the dose is ten, and the dose is ten, and the dose is ten."),
	    "a bit turned in CBC changes nothing");
	buf_free(&m);
	buf_free(&out);
}

static void text_of(struct bench *b)
{
	static const struct {
		const char *layers, *wanted;
	} rows[] = {
	    {"| x", "From: bob@test-case.kit.test\r\nTo: user@own.test\r\nSubject: test-case "},
	    {"| x", "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		    "7bit\r\n\r\nx\r\n"},
	    {"from eve@{q}\nto a@{own},b@{own}\ncc c@{own}\nsubject \"Befund\"",
		"From: eve@q-test-case.kit.test\r\nTo: a@own.test, b@own.test\r\nSubject: Befund\r\n"},
	    {"subject \"Gr\xC3\xB6\xC3\x9F"
	     "e\"",
		"Subject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n"},
	    {"header \"X-A: {p}\"", "X-A: test-case.kit.test\r\nContent-Type"},
	    {"header \"X-B: \\xFF\"", "X-B: \xFF\r\n"},
	    {"| x\nheader \"Content-Language: de\"", "Content-Language: de\r\n\r\nx"},
	    {"type \"text/html\"\n| <p>x</p>", "Content-Type: text/html; charset=utf-8\r\n"},
	    {"| \xC3\xA4", "Content-Transfer-Encoding: base64\r\n\r\nw6QNCg==\r\n"},
	    {"| x\nbase64 line=4", "base64\r\n\r\neA0K\r\n"},
	    {"file body.bin\ntype \"application/octet-stream\"", "base64\r\n\r\nAAEC\r\n"},
	    {"raw whole.eml", "Subject: raw test-case {unknown}\r\n\r\nline\r\n"},
	    {"raw whole.eml\nheader \"X-C: d\"", "X-C: d\r\nFrom: x@y.test\r\n"},
	    {"large 3000", "The quick brown fox"},
	    {"sign by=sig\nheader \"X-Out: y\"",
		"X-Out: y\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"},
	    {"encrypt to=enc cipher=aes128-gcm", "smime-type=authEnveloped-data"},
	    {"compress", "smime-type=compressed-data; name=smime.p7z"},
	    {"sign by=sig\ndisguise \"application/octet-stream; name=smime.p7m\"",
		"Content-Type: application/octet-stream; name=smime.p7m\r\n"},
	    {"sign by=sig form=detached hash=sha512", "micalg=sha-512"},
	    {"| x\nsign by=sig form=detached\ndamage part", "This part is not signed."},
	    {"| x\nmixed before=\"a {nonce}\" after=\"z\" type=\"text/html\"",
		"Content-Type: text/html; charset=utf-8\r\n\r\na "},
	    {"protect\nencrypt to=enc", "Subject: [...]\r\n"},
	    {"forge trusted", "X-Mark: trusted by all\r\n"},
	};

	save(b, "body.bin", "\0\1\2", 3);
	save(b, "whole.eml", "From: x@y.test\nSubject: raw {case} {unknown}\n\nline\n", 51);
	buf_adds(&b->s.trusted, "X-Mark: trusted by all\r\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf m = {0};

		bench_message(b, rows[i].layers, &m);
		check(has(&m, rows[i].wanted), "\"%s\" does not give \"%s\" but\n%.900s", rows[i].layers,
		    rows[i].wanted, m.p);
		buf_free(&m);
	}
	buf_clear(&b->s.trusted);
}

static void inside(struct bench *b)
{
	struct buf m = {0}, out = {0};

	bench_message(b, "| x\nsubject \"Secret\"\nheader \"X-In: 1\"\nprotect\nencrypt to=enc", &m);
	check(!has(&m, "Secret") && !has(&m, "X-In"), "the protected header stands outside");
	save(b, "m.eml", m.p, m.n);
	decrypt(b, "m.eml", "enc", &out);
	check(has(&out, "Subject: Secret") && has(&out, "X-In: 1") && has(&out, "HP-Outer: Subject: [...]") &&
		  has(&out, "hp=\"cipher\""),
	    "the protected header does not stand inside: %s", out.p);
	bench_message(b, "| x\nheader \"X-In: 1\"\nwrap\nencrypt to=enc\nheader \"X-Out: 1\"", &m);
	check(!has(&m, "X-In") && has(&m, "X-Out"), "the wrapped header stands outside");
	save(b, "m.eml", m.p, m.n);
	decrypt(b, "m.eml", "enc", &out);
	check(has(&out, "Content-Type: message/rfc822") && has(&out, "X-In: 1") && !has(&out, "X-Out"),
	    "not wrapped: %s", out.p);
	bench_message(b, "| x\nsign by=sig\nencrypt to=enc", &m);
	save(b, "m.eml", m.p, m.n);
	check(decrypt(b, "m.eml", "enc", &out) == 0, "not decrypted: %s", out.p);
	save(b, "in.eml", out.p, out.n);
	check(verify(b, "in.eml", &out) == 0, "the signature inside is not valid: %s", out.p);
	buf_free(&m);
	buf_free(&out);
}

static void large(struct bench *b)
{
	for (long n = 0; n < 400; n += 7) {
		char *layers = text_make("| x\nlarge %ld", n);
		struct buf m = {0};
		const char *body;

		bench_message(b, layers, &m);
		body = octets_find(m.p, m.n, "\r\n\r\n");
		check(body && m.p + m.n - body - 4 == n + 3, "large %ld gives %td octets", n,
		    body ? m.p + m.n - body - 7 : -1);
		free(layers);
		buf_free(&m);
	}
}

static void refused(struct bench *b)
{
	static const char *const rows[] = {"nothing", "sign by=nobody", "sign", "sign by=gateway",
	    "sign by=sig hash=none", "encrypt to=nobody", "encrypt to=enc cipher=rot13", "encrypt to=enc keys=ecdh",
	    "encrypt to=enc keys=x", "damage tag", "sign by=sig\ndamage tag", "sign by=sig\ndamage key",
	    "sign by=sig\ndamage unknown", "encrypt to=enc\ndamage digest", "encrypt to=enc\ndamage tag-short",
	    "file ../x", "file nothere", "large x", "from {nobody}@x", "forge trusted", "base64 line=x",
	    "sign by=sig time=soon", "sign by=sig type=x", "sign by=sig attributes=no\ndamage digest",
	    "sign by=sig\ntype x", "header"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf m = {0}, why = {0};

		check(bench_make(b, rows[i], &m, &why) < 0 && why.n > 0 && has(&why, "line "),
		    "\"%s\" can be made: %s", rows[i], why.n ? why.p : "");
		buf_free(&m);
		buf_free(&why);
	}
}

static void scene_texts(struct bench *b)
{
	struct buf out = {0}, why = {0};
	char *text = scene_text(&b->s, "{own} {p} {q} {case} {kit} {http} {host} {nonce} {\"a\":{}} {", &why), *none;

	check(text &&
		  strstr(text, "own.test test-case.kit.test q-test-case.kit.test test-case kit.test "
			       "http://127.0.0.1:8080 mx.kit.test ") == text &&
		  strstr(text, b->s.nonce) && strstr(text, " {\"a\":{}} {"),
	    "it stands for \"%s\"", text ? text : "nothing");
	free(text);
	none = scene_text(&b->s, "a {nothing} b", &why);
	check(!none && strstr(why.p, "{nothing}"), "{nothing} stands for something");
	free(none);
	scene_expand_octets(&b->s, "\0{case}{nothing}", 16, &out);
	check(out.n == 19 && !memcmp(out.p, "\0test-case{nothing", 18), "octets are not as they were");
	buf_adds(scene_name(&b->s, "one", NULL), "1");
	buf_adds(scene_name(&b->s, "two", NULL), "2");
	check(scene_named(&b->s, "one")->n == 1 && !scene_named(&b->s, "three"), "names are lost");
	check(scene_name(&b->s, "one", NULL)->n == 0, "a name that is taken anew is not empty");
	buf_free(&out);
	buf_free(&why);
	b->s.evidence = text_make("%s", b->dir);
	scene_keep(&b->s, "a/../b c", "x", 1);
	scene_keep(&b->s, "mail.eml", "x", 1);
	text = text_make("%s/01-a_.._b_c", b->dir);
	check(file_there(text), "%s is not there", text);
	free(text);
}

static const char setup_peers[] =
    "set -e; mkdir -m 700 gnupg nss; export GNUPGHOME=$PWD/gnupg\n"
    "printf 'disable-crl-checks\\ndisable-policy-checks\\nbatch\\n' >gnupg/gpgsm.conf\n"
    "printf 'allow-loopback-pinentry\\ndisable-scdaemon\\n' >gnupg/gpg-agent.conf\n"
    "openssl x509 -in ca.pem -noout -fingerprint -sha1 | sed 's/.*=//; s/$/ S relax/' >gnupg/trustlist.txt\n"
    "openssl pkcs12 -export -in enc.pem -inkey enc.key -certfile ca.pem -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES "
    "-macalg sha1 -passout "
    "pass:pw -name enc -out enc.p12 -legacy\n"
    "if command -v gpgsm >/dev/null; then gpgsm --import ca.pem; echo pw | gpgsm --batch --pinentry-mode loopback "
    "--passphrase-fd 0 --import "
    "enc.p12; fi\n"
    "if command -v cmsutil >/dev/null; then certutil -N -d sql:nss --empty-password; certutil -A -d sql:nss -n ca -t "
    "CT,C,C -i ca.pem; "
    "pk12util -i enc.p12 -d sql:nss -W pw -K ''; fi\n";
static const char by_gpgsm[] =
    "command -v gpgsm >/dev/null || exit 9; export GNUPGHOME=$PWD/gnupg; openssl cms -cmsout -in m.eml -outform DER "
    "-out m.der; echo pw | gpgsm --batch --pinentry-mode loopback --passphrase-fd 0 $0 m.der";
static const char by_nss[] = "command -v cmsutil >/dev/null || exit 9; openssl cms -cmsout -in m.eml -outform DER "
			     "-out m.der; cmsutil -D -d sql:nss "
			     "-i m.der -h 0";

static void peers(struct bench *b)
{
	static const struct {
		const char *layers, *gpgsm;
	} rows[] = {{"encrypt to=enc", "--decrypt"}, {"encrypt to=enc cipher=aes128-cbc stream=yes", "--decrypt"},
	    {"sign by=sig", "--verify"}, {"sign by=ecsig hash=sha384", "--verify"}};
	const char *setup[] = {"sh", "-c", setup_peers, NULL},
		   *end[] = {"sh", "-c", "GNUPGHOME=$PWD/gnupg gpgconf --kill all", NULL};
	struct buf out = {0}, m = {0};

	check(bench_run(b, &out, setup) == 0, "gpgsm and NSS cannot be set up: %s", out.p ? out.p : "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *gpgsm[] = {"sh", "-c", by_gpgsm, rows[i].gpgsm, NULL},
			   *nss[] = {"sh", "-c", by_nss, NULL};
		char *layers = text_make("| The dose is ten.\n%s", rows[i].layers);
		int rc;

		bench_message(b, layers, &m);
		save(b, "m.eml", m.p, m.n);
		rc = bench_run(b, &out, gpgsm);
		check(rc == 9 || rc == 0, "gpgsm does not read \"%s\" (%d): %s", rows[i].layers, rc, out.p);
		rc = bench_run(b, &out, nss);
		check(rc == 9 || (rc == 0 && has(&out, "The dose is ten")), "NSS does not read \"%s\" (%d): %s",
		    rows[i].layers, rc, out.p);
		free(layers);
	}
	bench_run(b, &out, end);
	buf_free(&out);
	buf_free(&m);
}

int main(void)
{
	struct world *w = fake_world();
	struct bench b;

	bench_open(&b, w, "cert sig\ncert enc\ncert other\ncert both\ncert ec\ncert ecsig\n");
	scene_texts(&b);
	text_of(&b);
	refused(&b);
	large(&b);
	inside(&b);
	table(&b);
	cbc_content(&b);
	peers(&b);
	bench_close(&b);
	fake_world_free(w);
	return checked();
}
