/* The words of looking for certificates: what is read, what is printed and what the error sentences list come from
 * the tables here. */
#include "certstore/find_options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "certstore/http_search.h"
#include "certstore/srv_record.h"
#include "gateway/base/mem.h"

struct word {
	const char *word;
	uint8_t value;
};

static const struct word orders[] = {{"own", FIND_OWN}, {"direct", FIND_DIRECT}, {NULL, 0}};
static const struct word srvs[] = {{"weight-first", SRV_WEIGHT_FIRST}, {"rfc2782", SRV_RFC2782}, {NULL, 0}};
static const struct word addresses[] = {
    {"listed", FIND_ADDRESS_LISTED}, {"always", FIND_ADDRESS_ALWAYS}, {"never", FIND_ADDRESS_NEVER}, {NULL, 0}};
/* "dns" is understood and written "cert". */
static const struct word tiers[] = {{"store", FIND_STORE}, {"smimea", FIND_SMIMEA}, {"smg", FIND_SMG},
    {"cert", FIND_CERT}, {"ldap", FIND_LDAP}, {"http", FIND_HTTP}, {"dns", FIND_CERT}, {NULL, 0}};

static int read_word(const char *name, const struct word *words, const char *v, uint8_t *value_r, struct problem *pr)
{
	char all[160] = "";

	for (const struct word *w = words; w->word; w++) {
		size_t at = strlen(all);

		if (strcmp(w->word, v) == 0) {
			*value_r = w->value;
			return 0;
		}
		(void)snprintf(all + at, sizeof all - at, "%s%s", at ? ", " : "", w->word);
	}
	return problem_set(pr, PROBLEM_PERM, 0, "", "", "%s cannot be \"%.60s\", but one of %s", name, v, all);
}

int find_options_tiers(const char *text, uint8_t *bits_r, struct problem *pr)
{
	uint8_t bits = 0, one;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ",");
		char word[32];

		(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), p);
		if (read_word("a tier", tiers, word, &one, pr) < 0)
			return -1;
		bits = (uint8_t)(bits | FIND_TIER(one));
		p += n + (p[n] == ',');
	}
	if (bits == 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "tiers names no place to look: some of store, smimea, smg, cert, ldap, http between commas");
	*bits_r = bits;
	return 0;
}

static int read_order(const char *v, struct find_options *f, struct problem *pr)
{
	return read_word("order", orders, v, &f->order, pr);
}

static int read_tiers(const char *v, struct find_options *f, struct problem *pr)
{
	return find_options_tiers(v, &f->tiers, pr);
}

static int read_srv(const char *v, struct find_options *f, struct problem *pr)
{
	return read_word("srv-order", srvs, v, &f->srv, pr);
}

static int read_address(const char *v, struct find_options *f, struct problem *pr)
{
	return read_word("by-address", addresses, v, &f->by_address, pr);
}

static int too_many(const char *what, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 0, "", "", "there are more than %d of %s", FIND_PLACES_MAX, what);
}

static int read_directory(const char *v, struct find_options *f, struct problem *pr)
{
	if (!*v)
		return 0;
	if (f->ndirectories == FIND_PLACES_MAX)
		return too_many("directory", pr);
	if (mem_copy_str(f->directories[f->ndirectories], sizeof f->directories[0], v) < 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "the directory's name \"%.40s...\" is too long", v);
	f->ndirectories++;
	return 0;
}

static int read_http(const char *v, struct find_options *f, struct problem *pr)
{
	if (!*v)
		return 0;
	if (f->nhttp_stores == FIND_PLACES_MAX)
		return too_many("http-store", pr);
	if (http_search_base(v) < 0 || mem_copy_str(f->http_stores[f->nhttp_stores], sizeof f->http_stores[0], v) < 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "http-store cannot be \"%.100s\", but a URL such as https://certs.lab.example/search without a "
		    "query",
		    v);
	f->nhttp_stores++;
	return 0;
}

static const struct option {
	const char *name;
	int (*read)(const char *v, struct find_options *f, struct problem *pr);
	bool many;
} options[] = {
    [FIND_OPT_ORDER] = {"order", read_order, false},
    [FIND_OPT_TIERS] = {"tiers", read_tiers, false},
    [FIND_OPT_SRV] = {"srv-order", read_srv, false},
    [FIND_OPT_ADDRESS] = {"by-address", read_address, false},
    [FIND_OPT_DIRECTORY] = {"directory", read_directory, true},
    [FIND_OPT_HTTP] = {"http-store", read_http, true},
};
_Static_assert(sizeof options / sizeof *options == FIND_OPTIONS, "a row for every option");

/* What is named takes the place of what was there before. */
static void forget(struct find_options *f, unsigned option)
{
	if (option == FIND_OPT_DIRECTORY)
		f->ndirectories = 0;
	else if (option == FIND_OPT_HTTP)
		f->nhttp_stores = 0;
}

static int read_item(const char *p, size_t n, struct find_options *f, unsigned *given, struct problem *pr)
{
	char item[400];
	char *eq;

	if (n >= sizeof item)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "\"%.40s...\" is too long", p);
	memcpy(item, p, n);
	item[n] = '\0';
	eq = strchr(item, '=');
	if (!eq)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "options are name=word, such as order=own, and \"%.60s\" is none", item);
	*eq = '\0';
	for (unsigned i = 0; i < FIND_OPTIONS; i++) {
		if (strcmp(options[i].name, item) != 0)
			continue;
		if ((*given & FIND_GIVEN(i)) && !options[i].many)
			return problem_set(pr, PROBLEM_PERM, 0, "", "", "%s stands twice", item);
		if (!(*given & FIND_GIVEN(i)))
			forget(f, i);
		*given |= FIND_GIVEN(i);
		return options[i].read(eq + 1, f, pr);
	}
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "there is no option \"%.60s\"; there are: order, tiers, srv-order, by-address, directory, http-store",
	    item);
}

int find_options_read(const char *text, struct find_options *f, unsigned *given_r, struct problem *pr)
{
	struct find_options read = *f;

	*given_r = 0;
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " \t\r\n");

		if (n > 0 && read_item(p, n, &read, given_r, pr) < 0)
			return -1;
		p += n + (p[n] != '\0');
	}
	*f = read;
	return 0;
}

static void add(char out[FIND_TEXT_MAX], const char *lead, const char *text)
{
	size_t at = strlen(out);

	(void)snprintf(out + at, FIND_TEXT_MAX - at, "%s%s", lead, text);
}

static const char *word_of(const struct word *words, uint8_t value)
{
	while (words[1].word && words->value != value)
		words++;
	return words->word;
}

static void print_tiers(uint8_t bits, char out[FIND_TEXT_MAX])
{
	const char *lead = "";

	for (unsigned t = 0; t < FIND_TIERS; t++)
		if (bits & FIND_TIER(t)) {
			add(out, lead, find_options_tier_word((enum find_tier)t));
			lead = ",";
		}
}

static void print_one(const struct find_options *f, unsigned option, char out[FIND_TEXT_MAX])
{
	const char *lead = out[0] ? " " : "";
	bool places = options[option].many;
	unsigned n = option == FIND_OPT_DIRECTORY ? f->ndirectories : f->nhttp_stores;

	if (!places || n == 0) {
		add(out, lead, options[option].name);
		add(out, "", "=");
	}
	for (unsigned i = 0; places && i < n; i++) {
		add(out, i ? " " : lead, options[option].name);
		add(out, "=", option == FIND_OPT_DIRECTORY ? f->directories[i] : f->http_stores[i]);
	}
	if (option == FIND_OPT_ORDER)
		add(out, "", word_of(orders, f->order));
	else if (option == FIND_OPT_TIERS)
		print_tiers(f->tiers, out);
	else if (option == FIND_OPT_SRV)
		add(out, "", word_of(srvs, f->srv));
	else if (option == FIND_OPT_ADDRESS)
		add(out, "", word_of(addresses, f->by_address));
}

void find_options_print(const struct find_options *f, unsigned which, char out[FIND_TEXT_MAX])
{
	out[0] = '\0';
	for (unsigned i = 0; i < FIND_OPTIONS; i++)
		if (which & FIND_GIVEN(i))
			print_one(f, i, out);
}

struct find_options find_options_default(void)
{
	return (struct find_options){.order = FIND_OWN,
	    .tiers = FIND_TIER(FIND_STORE) | FIND_TIER(FIND_SMIMEA) | FIND_TIER(FIND_SMG) | FIND_TIER(FIND_CERT) |
		     FIND_TIER(FIND_LDAP),
	    .srv = SRV_WEIGHT_FIRST,
	    .by_address = FIND_ADDRESS_LISTED};
}

const char *find_options_tier_word(enum find_tier t)
{
	return tiers[t < FIND_TIERS ? t : 0].word;
}
