#include "interop/kit/kit.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

const char *const mark_names[] = {"trusted", "untrusted", "broken", "unsigned", "unmarked"};

enum kind { TEXT, REQUIRED, FILENAME, SPAN, NUMBER, PATTERN };

struct setting {
	const char *name;
	enum kind kind;
	size_t at; /* offset in struct kit */
	const char *value, *help;
};

#define AT(member) offsetof(struct kit, member)

static const struct setting settings[] = {
    {"gateway-domain", REQUIRED, AT(gateway_domain), "", "the mail domain of the gateway under test"},
    {"kit-domain", TEXT, AT(kit_domain), "kit.example", "the domain above all partner domains that the kit plays"},
    {"host", TEXT, AT(host), "", "host name of the kit's mail and web server; empty: mx.<kit-domain>"},
    {"gateway-inside", REQUIRED, AT(gateway_inside), "",
	"host:port where the gateway takes mail from its users: the kit submits there"},
    {"gateway-outside", REQUIRED, AT(gateway_outside), "", "host:port where the gateway takes mail from outside"},
    {"gateway-web", TEXT, AT(gateway_web), "",
	"host:port where the gateway publishes its statement over HTTPS; empty: nowhere"},
    {"inside-sink", REQUIRED, AT(inside_sink), "",
	"host:port where the kit listens as the mail server behind the gateway"},
    {"outside-sink", REQUIRED, AT(outside_sink), "",
	"host:port where the kit listens as the MX of all partner domains"},
    {"dns", TEXT, AT(dns), "", "host:port of the kit's name server; empty: none, and cases that need it are not run"},
    {"ldap", TEXT, AT(ldap), "", "host:port of the kit's directory; empty: none"},
    {"http", TEXT, AT(http), "", "host:port of the kit's web server (CRL, OCSP, certificates); empty: none"},
    {"https", TEXT, AT(https), "", "host:port of the kit's web server with TLS; empty: none"},
    {"gateway-sign", FILENAME, AT(gateway_sign), "gateway-sign.pem", "certificates that the gateway signs with"},
    {"gateway-encrypt", FILENAME, AT(gateway_encrypt), "gateway-encrypt.pem",
	"the certificate to encrypt to the gateway"},
    {"setups", TEXT, AT(setups), "", "settings that the operator of the gateway made, by the names that cases need"},
    {"mark-trusted", PATTERN, AT(marks[MARK_TRUSTED]), "",
	"regular expression for a header line, unfolded, of mail whose signature is good and believed"},
    {"mark-untrusted", PATTERN, AT(marks[MARK_UNTRUSTED]), "",
	"the same: the signature is good, and the signer not believed"},
    {"mark-broken", PATTERN, AT(marks[MARK_BROKEN]), "", "the same: the signature is not good"},
    {"mark-unsigned", PATTERN, AT(marks[MARK_UNSIGNED]), "", "the same: there is no signature"},
    {"tester", TEXT, AT(tester), "", "who tests; stands in the report"},
    {"gateway-name", TEXT, AT(gateway_name), "", "product under test; stands in the report"},
    {"gateway-version", TEXT, AT(gateway_version), "", "its version; stands in the report"},
    {"cases", TEXT, AT(cases), "", "directory of the cases; empty: those that came with the kit"},
    {"requirements", TEXT, AT(requirements), "",
	"directory of the requirements; empty: those that came with the kit"},
    {"second-judge", TEXT, AT(second), "auto", "auto, bouncycastle, nss or gpgsm: who judges beside OpenSSL"},
    {"settle", SPAN, AT(settle_ms), "4s",
	"how long after the last step of a case it is looked whether anything else came"},
    {"within", SPAN, AT(within_ms), "30s", "how long a message that must come is waited for"},
    {"workers", NUMBER, AT(workers), "16", "cases that run side by side"},
};

#define N_SETTINGS (sizeof(settings) / sizeof(*settings))

static const struct setting *find(const char *name, size_t n)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strlen(settings[i].name) == n && !strncmp(settings[i].name, name, n))
			return &settings[i];
	return NULL;
}

static int set_pattern(const struct setting *s, const char *value, struct buf *why)
{
	regex_t r;

	if (!*value)
		return 0;
	if (regcomp(&r, value, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
		return fail(why, "%s is not a regular expression", s->name);
	regfree(&r);
	return 0;
}

static int set(struct kit *k, const struct setting *s, const char *value, struct buf *why)
{
	char **text = (char **)((char *)k + s->at);
	int64_t *span = (int64_t *)((char *)k + s->at);
	long *number = (long *)((char *)k + s->at);

	if (s->kind == SPAN)
		return span_read(value, span) < 0 || *span < 0 ? fail(why, "%s takes a time such as 5s", s->name) : 0;
	if (s->kind == NUMBER)
		return number_read(value, 1, 200, number) < 0 ? fail(why, "%s takes a number from 1 to 200", s->name)
							      : 0;
	if (s->kind == PATTERN && set_pattern(s, value, why) < 0)
		return -1;
	free(*text);
	*text = s->kind == FILENAME && *value != '/' ? text_make("%s/%s", k->dir, value) : text_copy(value);
	return 0;
}

static int read_line(struct kit *k, const char *p, const char *end, struct buf *why)
{
	const struct setting *s;
	const char *name_end, *value;
	char *text;
	int rc;

	while (p < end && strchr(" \t", *p))
		p++;
	while (end > p && strchr(" \t\r", end[-1]))
		end--;
	if (p == end || *p == '#')
		return 0;
	name_end = p + strcspn(p, " \t=\n");
	value = memchr(p, '=', (size_t)(end - p));
	if (!value)
		return fail(why, "a line without \"=\": %.*s", (int)(end - p), p);
	s = find(p, (size_t)(name_end - p));
	if (!s)
		return fail(why, "unknown setting %.*s", (int)(name_end - p), p);
	for (value++; value < end && strchr(" \t", *value);)
		value++;
	text = text_cut(value, (size_t)(end - value));
	rc = set(k, s, text, why);
	free(text);
	return rc;
}

static int complete(struct kit *k, struct buf *why)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (settings[i].kind == REQUIRED && !**(char **)((char *)k + settings[i].at))
			return fail(
			    why, "%s/kit.conf: %s is missing: %s", k->dir, settings[i].name, settings[i].help);
	if (!*k->host) {
		free(k->host);
		k->host = text_make("mx.%s", k->kit_domain);
	}
	return 0;
}

int kit_read(const char *dir, struct kit *out, struct buf *why)
{
	char *path = text_make("%s/kit.conf", dir);
	struct buf text = {0}, said = {0};
	int rc, line = 0;

	*out = (struct kit){.dir = text_copy(dir)};
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (set(out, &settings[i], settings[i].value, NULL) < 0)
			die("the default of %s is not allowed", settings[i].name);
	rc = file_read(path, &text, why);
	for (const char *p = text.p; rc == 0 && p && p < text.p + text.n;) {
		const char *end = memchr(p, '\n', (size_t)(text.p + text.n - p));

		line++;
		if (!end)
			end = text.p + text.n;
		if (read_line(out, p, end, &said) < 0)
			rc = fail(why, "%s, line %d: %s", path, line, said.p);
		p = end + 1;
	}
	if (rc == 0)
		rc = complete(out, why);
	buf_free(&said);
	buf_free(&text);
	free(path);
	if (rc < 0)
		kit_free(out);
	return rc;
}

/* "name=value" of the command line for this setting; NULL: none. */
static const char *given(const struct setting *s, char **list, size_t n)
{
	size_t len = strlen(s->name);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(list[i], s->name, len) && list[i][len] == '=')
			return list[i] + len + 1;
	return NULL;
}

int kit_write(const char *dir, char **list, size_t n, struct buf *why)
{
	char *path = text_make("%s/kit.conf", dir);
	struct buf text = {0};
	int rc = -1;

	for (size_t i = 0; i < n; i++)
		if (!find(list[i], strcspn(list[i], "="))) {
			fail(why, "unknown setting %s", list[i]);
			goto out;
		}
	if (directory_make(dir, why) < 0)
		goto out;
	if (file_there(path)) {
		rc = n > 0 ? fail(why, "%s is there already: change it there", path) : 0;
		goto out;
	}
	buf_adds(&text, "# The certification kit: which gateway is tested, and where the kit listens.\n");
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const char *value = given(&settings[i], list, n);

		buf_addf(&text, "\n# %s\n%s = %s\n", settings[i].help, settings[i].name,
		    value ? value : settings[i].value);
	}
	rc = file_write(path, text.p, text.n, 0644, why);
out:
	buf_free(&text);
	free(path);
	return rc;
}

void kit_free(struct kit *k)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (settings[i].kind != SPAN && settings[i].kind != NUMBER)
			free(*(char **)((char *)k + settings[i].at));
	free(k->dir);
	*k = (struct kit){0};
}

void kit_each(const struct kit *k, void (*f)(void *arg, const char *name, const char *value), void *arg)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		const char *at = (const char *)k + settings[i].at;
		char *made = settings[i].kind == SPAN	  ? text_make("%lldms", (long long)*(const int64_t *)at)
			     : settings[i].kind == NUMBER ? text_make("%ld", *(const long *)at)
							  : NULL;

		f(arg, settings[i].name, made ? made : *(char *const *)at);
		free(made);
	}
}

int kit_address(const char *text, char **host, char **port)
{
	const char *colon = strrchr(text, ':');
	long n;

	if (!colon || colon == text || number_read(colon + 1, 1, 65535, &n) < 0)
		return -1;
	*host = *text == '[' && colon[-1] == ']' ? text_cut(text + 1, (size_t)(colon - text) - 2)
						 : text_cut(text, (size_t)(colon - text));
	*port = text_copy(colon + 1);
	return 0;
}

char *kit_host(const char *text)
{
	char *host, *port;

	if (kit_address(text, &host, &port) < 0)
		return text_copy("");
	free(port);
	return host;
}
