/* The first judge and the expectations: messages of every kind, whole and damaged, and what must not pass. Linked
 * with the kit's real second judge instead of the fake one, it compares both. */
#include "interop/kit/expect.h"
#include "interop/test/fake_second.h"
#include "interop/test/fake_world.h"
#include "interop/test/messages.h"
#include "interop/kit/second.h"
#include "interop/kit/seen.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_M                                                                                                    \
	"type \"application/octet-stream\"\nheader \"Content-Transfer-Encoding: binary\"\n| \xC3\xA4 {nonce}"
#define TEXT "| The dose is ten {nonce}.\n"

static struct second *second;
static bool real; /* the second judge is a program, not the fake */

static void clear_findings(struct scene *s)
{
	for (size_t i = 0; i < s->n_findings; i++)
		free(s->findings[i].sentence);
	s->n_findings = 0;
}

/* Each line is an expectation behind "+" (passes), "-" (fails) or "?" (is not run). */
static void expect_lines(
    struct bench *b, const struct mail *m, const struct buf *sent, const char *lines, const char *label)
{
	struct buf text = {0}, signs = {0}, why = {0};
	struct case_file c = {0};
	static const char of[] = "+-?";

	buf_adds(&text, "title \"A test\"\nproves TEST-1\nawait outside to=bob@{p}\n");
	for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		buf_add(&signs, at, 1);
		buf_adds(&text, "  ");
		buf_add(&text, at + 1, strcspn(at + 1, "\n"));
		buf_adds(&text, "\n");
	}
	if (case_file_parse(text.p, text.n, &c, &why) < 0)
		die("%s", why.p);
	clear_findings(&b->s);
	expect_message(&b->s, &c.stmts[0], m, sent);
	check(b->s.n_findings == signs.n, "%s: %zu findings for %zu expectations", label, b->s.n_findings, signs.n);
	for (size_t i = 0; i < b->s.n_findings && i < signs.n; i++)
		check(of[b->s.findings[i].verdict] == signs.p[i], "%s: wanted %c, got %c: %s", label, signs.p[i],
		    of[b->s.findings[i].verdict], b->s.findings[i].sentence);
	case_file_free(&c);
	buf_free(&text);
	buf_free(&signs);
}

static struct mail mail_of(const struct buf *octets)
{
	static char *to[] = {"bob@test-case.kit.test"};

	return (struct mail){.from = "alice@own.test", .to = to, .n_to = 1, .data = *octets};
}

static void row(struct bench *b, const char *layers, const char *kind, const char *lines)
{
	struct buf octets = {0}, sent = {0};
	struct mail m;
	const char *there;

	bench_message(b, layers, &octets);
	buf_adds(&sent, "Subject: x\r\n\r\nThe dose is ten ");
	buf_adds(&sent, b->s.nonce);
	buf_adds(&sent, ".\r\n");
	m = mail_of(&octets);
	expect_lines(b, &m, &sent, lines, layers);
	clear_findings(&b->s);
	there = expect_kind(&b->s, &m);
	check(!strcmp(there, kind), "%s: it is %s, not %s", layers, there, kind);
	for (size_t i = 0; i < b->s.n_findings; i++)
		check(real && strstr(b->s.findings[i].sentence, "cannot judge"), "%s: %s", layers,
		    b->s.findings[i].sentence);
	seen_free(&b->s);
	buf_free(&octets);
	buf_free(&sent);
}

static void whole(struct bench *b)
{
	row(b, TEXT "subject \"Befund {nonce}\"\nwrap\nsubject x\nsign by=gsig\nencrypt to=enc", "sealed",
	    "+layers enveloped,signed\n-layers enveloped\n-layers signed,enveloped\n+sealed-for enc\n-sealed-for "
	    "other\n-sealed-for enc,other\n"
	    "?sealed-for nobody\n+cipher aes256-cbc\n+cipher aes128-cbc,aes256-cbc\n-cipher aes256-gcm\n+keys "
	    "pkcs1\n-keys ecdh\n"
	    "-signed-by sig\n+signed-by gateway\n+digest sha256,sha384\n-digest sha384\n-signature-type domainSig\n"
	    "+attribute 1.2.840.113549.1.9.5\n-attribute 1.2.3.4\n+signer-certs yes\n-signer-certs no\n+inner-header "
	    "Subject \"Befund {nonce}\"\n"
	    "-inner-header Subject \"Befund\"\n-inner-header X-No x\n+inner-contains \"dose is ten "
	    "{nonce}\"\n-inner-contains nothing\n"
	    "-inner-lacks \"dose is ten\"\n+inner-lacks \"Bcc:\"\n+body-is sent\n-body-is other\n+outer-header "
	    "Subject x\n-outer-header Subject y\n"
	    "+outer-lacks \"dose\"\n+outer-lacks \"Befund\"\n-outer-lacks bob\n+header-count Subject "
	    "1\n-header-count Subject 2\n+no-header Bcc\n"
	    "-no-header From\n+envelope-from alice@OWN.test\n-envelope-from \"\"\n+envelope-to bob@{p}\n-envelope-to "
	    "bob@{p},carol@{p}\n"
	    "-envelope-to carol@{p}\n+seven-bit\n+line-max 100\n-line-max 60\n+micalg yes\n+smime-type "
	    "yes\n+mime-type application/pkcs7-mime\n-mime-type text/plain\n"
	    "-tls yes\n+tls no\n+once\n-mark trusted\n?nonsense");
	row(b, TEXT "sign by=gsig hash=sha384 type=domainSig certs=none form=detached", "signed",
	    "+layers multipart-signed\n-layers signed\n+smime-type yes\n+parts-are sent\n-parts-are m\n?parts-are "
	    "nothing\n+signed-by gateway\n+digest sha384\n+signature-type domainSig\n-signature-type reviewSig\n"
	    "+attribute 1.2.840.113549.1.9.16.2.28\n-signer-certs yes\n+signer-certs no\n+micalg yes\n+body-is "
	    "sent\n-outer-lacks \"dose is ten\"\n"
	    "-sealed-for enc\n-cipher aes256-cbc\n+body-is \"The dose is ten {nonce}.\"");
	row(b, TEXT "sign by=gsig", "signed",
	    "+signed-by gateway\n-outer-lacks \"dose is ten\"\n+layers signed\n+smime-type yes");
	row(b, TEXT "sign by=gsig\ndisguise \"application/pkcs7-mime; smime-type=enveloped-data\"", "signed",
	    "-smime-type yes");
	row(b, TEXT "sign by=gsig\ndisguise \"application/pkcs7-mime; name=smime.p7c\"", "signed", "-smime-type yes");
	row(b, MESSAGE_M "\nwrap\nsign by=gsig\nencrypt to=enc", "sealed", "+parts-are m\n-parts-are sent");
	row(b, MESSAGE_M "\nencrypt to=enc", "sealed", "+parts-are m");
	row(b, TEXT "sign by=gsig padding=pss hash=sha512", "signed", "+signed-by gateway\n+digest sha512");
	row(b, TEXT "sign by=gsig attributes=no", "signed", "+signed-by gateway\n-attribute 1.2.840.113549.1.9.5");
	row(b, TEXT "sign by=sig,gsig", "signed", "+signed-by gateway\n+signed-by sig\n-signed-by ecsig");
	row(b, TEXT "sign by=ecsig\nencrypt to=ec keys=ecdh cipher=aes256-gcm", "sealed",
	    "+layers auth-enveloped,signed\n+sealed-for ec\n+keys ecdh\n+cipher aes256-gcm\n+signed-by "
	    "ecsig\n-signed-by gateway");
	row(b, TEXT "encrypt to=enc keys=oaep-sha256 cipher=aes128-gcm", "sealed",
	    "+sealed-for enc\n+keys oaep-sha256\n-keys oaep-sha1\n-signed-by gateway");
	row(b, TEXT "encrypt to=enc keys=oaep-sha1 cipher=aes192-cbc", "sealed",
	    "+keys oaep-sha1\n+cipher aes192-cbc");
	row(b, TEXT "encrypt to=enc ski=yes stream=yes", "sealed", "+sealed-for enc\n+body-is sent");
	row(b, TEXT "encrypt to=ec ski=yes", "sealed", "+sealed-for ec\n-sealed-for enc");
	row(b, TEXT "encrypt to=enc,other,ec", "sealed",
	    "+sealed-for enc,other,ec\n-sealed-for enc\n+sealed-for enc may=other,ec\n-sealed-for enc "
	    "may=other\n-sealed-for enc,other\n-keys pkcs1\n+keys pkcs1,ecdh");
	row(b, TEXT "encrypt to=enc,gateway", "sealed",
	    "+sealed-for enc,gateway\n+sealed-for gateway,enc\n+sealed-for enc");
	row(b, TEXT "encrypt to=enc cipher=des3", "sealed", "+cipher des3\n-cipher aes256-cbc,aes128-cbc");
	row(b, TEXT "encrypt to=enc cipher=rc2", "sealed", "+cipher rc2\n+sealed-for enc");
	row(b, TEXT "compress\nsign by=gsig\nencrypt to=enc", "sealed",
	    "+layers enveloped,signed,compressed\n+body-is sent\n+signed-by gateway");
	row(b, TEXT "compress", "clear", "+layers compressed\n-sealed-for enc\n-outer-lacks dose");
	row(b,
	    TEXT "subject \"Gr\xC3\xBC\xC3\x9F"
		 "e an M\xC3\xBCller\"\nprotect\nsign by=gsig\nencrypt to=enc",
	    "sealed",
	    "+inner-header Subject \"Gr\xC3\xBC\xC3\x9F"
	    "e an M\xC3\xBCller\"\n+outer-header Subject \"[...]\"\n-inner-header Subject \"[...]\"\n+body-is sent");
	row(b, TEXT "sign by=gsig\nbase64 line=0", "signed", "+signed-by gateway\n-line-max 998");
	row(b, TEXT "encrypt to=enc\ndisguise \"application/octet-stream; name=smime.p7m\"", "sealed",
	    "+sealed-for enc\n+mime-type application/octet-stream");
	row(b, TEXT, "clear",
	    "-layers signed\n-sealed-for enc\n-signed-by gateway\n+body-is sent\n-outer-lacks dose\n+inner-contains "
	    "dose\n-digest sha256");
}

/* What cannot be taken apart may hold anything. */
static void apart(struct bench *b)
{
	static const char *const types[] = {"multipart/mixed", "multipart/mixed; boundary=b"};

	for (size_t i = 0; i < 2; i++) {
		struct buf octets = {0};
		struct mail m;

		buf_addf(&octets,
		    "Content-Type: %s\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nVGhlIGRvc2U=\r\n",
		    types[i]);
		m = mail_of(&octets);
		expect_lines(b, &m, NULL, "?outer-lacks dose\n?inner-lacks dose\n-outer-lacks VGhl", types[i]);
		seen_free(&b->s);
		buf_adds(&octets, "--b--\r\n");
		m = mail_of(&octets);
		expect_lines(b, &m, NULL,
		    i ? "-outer-lacks dose\n+outer-lacks other\n-inner-lacks dose" : "?outer-lacks dose", types[i]);
		seen_free(&b->s);
		buf_free(&octets);
	}
}

/* What must not pass. */
static void wrong(struct bench *b)
{
	static const char *const broken[] = {"sign by=gsig\ndamage content", "sign by=gsig\ndamage tail",
	    "sign by=gsig\ndamage signature", "sign by=gsig form=detached\ndamage text",
	    "sign by=gsig form=detached\ndamage part", "sign by=gsig form=detached\ndamage signature",
	    "sign by=gsig\ndamage digest", "sign by=gsig attributes=no\ndamage content",
	    "sign by=gsig attributes=twice", "sign by=gsig\ndamage truncate", "sign by=gsig\ndamage append",
	    "sign by=gsig\ndamage length", "sign by=gsig\ndamage nest", "encrypt to=enc\ndamage tail",
	    "encrypt to=enc cipher=aes256-gcm\ndamage content", "encrypt to=enc cipher=aes256-gcm\ndamage tag",
	    "encrypt to=enc cipher=aes256-gcm\ndamage tag-short", "encrypt to=ec keys=ecdh\ndamage key",
	    "encrypt to=enc keys=oaep-sha256\ndamage key", "encrypt to=enc\ndamage truncate",
	    "encrypt to=enc\ndamage append", "encrypt to=enc\ndamage length", "encrypt to=enc\ndamage nest",
	    "compress\ndamage tail", "sign by=gsig\nencrypt to=enc\ndamage tail",
	    "sign by=gsig\ndamage signature\nencrypt to=enc",
	    "sign by=gsig\ndisguise \"application/pkcs7-mime\"\ndamage digest"};

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		char *layers = text_make(TEXT "%s", broken[i]);
		bool sealed = strstr(broken[i], "encrypt") != NULL;

		row(b, layers, "broken",
		    strstr(broken[i], "signature\nencrypt") ? "-signed-by gateway\n+sealed-for enc"
		    : sealed				    ? "-signed-by gateway\n-sealed-for enc\n-body-is sent"
							    : "-signed-by gateway");
		free(layers);
	}
	row(b, TEXT "sign by=gsig\ndamage truncate\nencrypt to=enc", "broken",
	    "-sealed-for enc\n-cipher aes256-cbc\n-keys pkcs1\n-layers enveloped,signed");
	row(b, TEXT "sign by=gsig\nencrypt to=sig", "sealed", "-sealed-for enc\n-sealed-for both");
	row(b, TEXT "sign by=gsig\nencrypt to=fake", "broken",
	    "-sealed-for enc\n-layers enveloped,signed\n-signed-by gateway\n-inner-contains dose\n-inner-lacks "
	    "dose\n-body-is sent");
	row(b, TEXT "sign by=gsig\nencrypt to=enc,fake", "sealed", "-sealed-for enc");
	row(b, TEXT "encrypt to=gateway", "broken", "-sealed-for enc");
	row(b, TEXT "sign by=fake", "clear", "-signed-by gateway\n-digest sha256");
	row(b, TEXT "sign by=fake certs=none", "broken", "-signed-by gateway");
	row(b, TEXT "sign by=gsig form=detached\nmixed before=a after=b", "clear",
	    "-signed-by gateway\n-layers multipart-signed");
	row(b, TEXT "sign by=gsig\nmixed before=a after=b\nencrypt to=enc", "sealed",
	    "-signed-by gateway\n+layers enveloped\n+sealed-for enc");
	row(b, TEXT "encrypt to=enc\nmixed before=a after=b", "clear", "-sealed-for enc");
	row(b, TEXT "encrypt to=enc\nsign by=gsig", "signed",
	    "-sealed-for enc\n+layers signed,enveloped\n+signed-by gateway\n+outer-lacks dose");
	row(b, TEXT "encrypt to=enc\ndisguise \"application/octet-stream\"", "clear", "-sealed-for enc");
	row(b, TEXT "sign by=gsig\nheader \"Content-Type: text/plain\"", "clear", "-signed-by gateway");
	row(b, TEXT "sign by=gsig\ndamage signature\nsign by=sig", "broken", "-signed-by gateway\n+signed-by sig");
}

static void second_judges(struct bench *b)
{
	static const struct {
		enum fake_second how;
		const char *lines, *says;
	} rows[] = {
	    {FAKE_AGREES, "+layers enveloped,signed\n+sealed-for enc\n+signed-by gateway\n+body-is sent", NULL},
	    {FAKE_CANNOT, "?layers enveloped,signed\n?sealed-for enc\n?signed-by gateway\n-signed-by sig\n+seven-bit",
		"this it does not know"},
	    {FAKE_OTHER_KIND, "-layers enveloped,signed", "disagree"},
	    {FAKE_OTHER_VALIDITY, "-signed-by gateway\n-sealed-for enc", "disagree"},
	    {FAKE_OTHER_SIGNER, "-signed-by gateway", "000000"},
	    {FAKE_OTHER_CONTENT, "-body-is sent\n-inner-contains dose", "disagree"},
	    {FAKE_OTHER_ATTRIBUTES, "-attribute 1.2.840.113549.1.9.5\n-signed-by gateway", "disagree"},
	    {FAKE_TELLS_LITTLE,
		"?cipher aes256-cbc\n?keys pkcs1\n?sealed-for enc\n?attribute 1.2.840.113549.1.9.5\n?signer-certs "
		"yes\n-cipher aes128-cbc\n+signed-by gateway\n+body-is sent",
		"does not tell the cipher"},
	    {FAKE_BROKEN, "-sealed-for enc", "it does not like it"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		unsigned before = fake_second_asked();
		struct buf octets = {0}, sent = {0};
		struct mail m;

		bench_message(b, "| The dose.\nsign by=gsig\nencrypt to=enc", &octets);
		buf_adds(&sent, "The dose.\r\n");
		m = mail_of(&octets);
		fake_second_says(rows[i].how);
		expect_lines(b, &m, &sent, rows[i].lines, "second judge");
		check(fake_second_asked() == before + 1, "it was asked %u times", fake_second_asked() - before);
		check(!rows[i].says || strstr(b->s.findings[0].sentence, rows[i].says), "not said: %s",
		    b->s.findings[0].sentence);
		clear_findings(&b->s);
		check(!strcmp(expect_kind(&b->s, &m), "sealed") &&
			  b->s.n_findings == (rows[i].how != FAKE_AGREES && rows[i].how != FAKE_TELLS_LITTLE),
		    "expect_kind is silent");
		seen_free(&b->s);
		buf_free(&octets);
		buf_free(&sent);
	}
	fake_second_says(FAKE_AGREES);
}

static void no_second(struct bench *b)
{
	struct buf octets = {0};
	struct mail m;

	bench_message(b, TEXT "sign by=gsig\nencrypt to=enc", &octets);
	m = mail_of(&octets);
	b->s.second = NULL;
	expect_lines(b, &m, NULL,
	    "?sealed-for enc\n?layers enveloped,signed\n-sealed-for other\n+outer-lacks dose\n?body-is sent",
	    "no second judge");
	check(strstr(b->s.findings[0].sentence, "no second judge"), "it does not say why: %s",
	    b->s.findings[0].sentence);
	seen_free(&b->s);
	b->s.second = second;
	buf_free(&octets);
}

/* Where kit.conf does not say how the gateway marks what it trusts, nothing is seen not to be trusted. */
static void unmarkable(struct bench *b)
{
	char *pattern = b->kit.marks[MARK_TRUSTED];
	struct buf octets = {0};
	struct mail m;

	buf_adds(&octets, "X-Mark: unsigned\r\n\r\nbody\r\n");
	m = mail_of(&octets);
	m.side = INSIDE;
	b->kit.marks[MARK_TRUSTED] = "";
	expect_lines(b, &m, NULL, "?mark unsigned\n?mark trusted\n+no-header Bcc", "no mark-trusted");
	b->kit.marks[MARK_TRUSTED] = pattern;
	buf_free(&octets);
}

/* Nobody counts so many recipients: one of them might be somebody else. */
static void many(struct bench *b)
{
	struct buf layers = {0};

	buf_adds(&layers, TEXT "encrypt to=enc");
	for (int i = 0; i < 199; i++)
		buf_adds(&layers, ",enc");
	row(b, layers.p, "broken", "-sealed-for enc\n-layers enveloped");
	buf_free(&layers);
}

static void marks(struct bench *b)
{
	static const struct {
		const char *header;
		enum mark mark;
		const char *lines;
	} rows[] = {{"X-Mark: trusted\r\n", MARK_TRUSTED, "+mark trusted\n-mark broken"},
	    {"X-Mark:\r\n trusted by all\r\n", MARK_TRUSTED, "+mark trusted"},
	    {"X-Mark: broken\r\n", MARK_BROKEN, "+mark broken"},
	    {"X-Other: trusted\r\n", MARK_NONE, "-mark trusted\n-mark unsigned"},
	    {"X-Mark: unsigned\r\nX-Mark: trusted\r\n", MARK_TRUSTED, "-mark trusted\n-mark unsigned"},
	    {"X-A: b\r\n\r\nX-Mark: trusted\r\n", MARK_NONE, "-mark trusted"},
	    {"No field\r\nX-Mark: trusted\r\n", MARK_TRUSTED,
		"+mark trusted\n?no-header X-Mark\n?header-count X-Mark 0"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf octets = {0};
		struct mail m;

		buf_adds(&octets, rows[i].header);
		buf_adds(&octets, "\r\nbody\r\n");
		m = mail_of(&octets);
		m.side = INSIDE;
		check(expect_mark(&b->s, &m) == rows[i].mark, "mark of %s", rows[i].header);
		expect_lines(b, &m, NULL, rows[i].lines, rows[i].header);
		buf_free(&octets);
	}
	unmarkable(b);
	check(b->s.trusted.n > 0 && !strcmp(b->s.trusted.p, "X-Mark: trusted\r\n"), "the mark is not remembered");
	seen_free(&b->s);
}

static void check_words(void)
{
	static const struct {
		const char *line;
		bool good;
	} rows[] = {{"layers a", true}, {"layers", false}, {"layers a b", false}, {"inner-header A b", true},
	    {"inner-header A", false}, {"mark trusted", true}, {"mark nice", false}, {"line-max 78", true},
	    {"line-max x", false}, {"header-count A 1", true}, {"header-count A x", false}, {"seven-bit", true},
	    {"once", true}, {"once x", false}, {"what", false}, {"cipher a b=c", false}, {"sealed-for a may=b", true},
	    {"sealed-for a x=b", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *text = text_make("title t\nproves P\nawait outside to=a\n  %s\n", rows[i].line);
		struct case_file c = {0};
		struct buf why = {0};

		check(case_file_parse(text, strlen(text), &c, &why) == 0 &&
			  (expect_check(&c.stmts[0].below[0], &why) == 0) == rows[i].good,
		    "check of \"%s\": %s", rows[i].line, why.n ? why.p : "good");
		case_file_free(&c);
		buf_free(&why);
		free(text);
	}
}

/* Every octet of a message changed, and every length: an answer comes, and it is not "sealed" and signed by the
 * gateway with another content. */
static void hostile(struct bench *b, const char *layers, unsigned step)
{
	const struct credential *keys[] = {world_credential(b->s.world, &b->c, "enc", 'e'),
	    world_credential(b->s.world, &b->c, "gateway", 's'), world_credential(b->s.world, &b->c, "ec", 'e')};
	struct buf octets = {0};
	struct judged j;

	bench_message(b, layers, &octets);
	for (size_t i = 0; i < octets.n; i += step) {
		char was = octets.p[i];

		octets.p[i] ^= (char)(1 << i % 8);
		judge(octets.p, octets.n, keys, 3, &j);
		judged_free(&j);
		octets.p[i] = was;
		judge(octets.p, i, keys, 3, &j);
		check(!j.whole || j.n == 0 || i + 80 > octets.n, "%s is whole with %zu octets of %zu", layers, i,
		    octets.n);
		judged_free(&j);
	}
	buf_free(&octets);
}

int main(void)
{
	struct world *w = fake_world();
	struct buf why = {0};
	struct bench b;

	bench_open(&b, w,
	    "cert sig\ncert enc\ncert other\ncert both\ncert ec\ncert ecsig\nmessage m\n  type "
	    "\"application/octet-stream\"\n  | \xC3\xA4 {nonce}\n  sign by=sig\n");
	b.kit.second = getenv("SECOND");
	second = second_open(&b.kit, &why);
	if (!second)
		die("%s", why.p);
	b.s.second = second;
	fake_second_says(FAKE_AGREES);
	seen_free(&b.s);
	whole(&b);
	real = fake_second_asked() == 0;
	wrong(&b);
	apart(&b);
	if (!real) {
		second_judges(&b);
		many(&b);
	}
	no_second(&b);
	marks(&b);
	check_words();
	if (!real) {
		hostile(&b, TEXT "sign by=gsig\nencrypt to=enc", 37);
		hostile(&b, TEXT "sign by=gsig form=detached", 5);
		hostile(&b, TEXT "encrypt to=ec cipher=aes256-gcm stream=yes", 3);
	}
	bench_close(&b);
	second_close(second);
	fake_world_free(w);
	return checked();
}
