/* postern-interop: certifies that an S/MIME gateway works with others. postern-interop(1) and docs/CERTIFY.md say
 * how; CASES.md is the language of its cases. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/check.h"
#include "interop/kit/compare.h"
#include "interop/kit/neighbours.h"
#include "interop/kit/place.h"
#include "interop/kit/plan.h"
#include "interop/kit/plan_verify.h"
#include "interop/kit/report.h"
#include "interop/kit/requirements.h"
#include "interop/kit/run.h"
#include "interop/kit/second.h"
#include "interop/kit/sink.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify.h"
#include "interop/kit/visible.h"
#include "interop/kit/web.h"
#include "interop/kit/world.h"

#define OPTIONS_MAX 16

/* Words and options of the command line behind the command. */
struct line {
	char **words;
	size_t n_words;
	struct {
		const char *name, *value;
	} options[OPTIONS_MAX];
	size_t n_options;
};

static const char *option(const struct line *l, const char *name)
{
	for (size_t i = 0; i < l->n_options; i++)
		if (!strcmp(l->options[i].name, name))
			return l->options[i].value;
	return NULL;
}

/* "--name value", "-o value", "--no-report"; known: names with commas, those without a value end with "!". */
static void read_line(int argc, char **argv, const char *known, struct line *l)
{
	l->words = need((size_t)argc * sizeof(char *));
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i] + (!strncmp(argv[i], "--", 2) ? 2 : 1);
		char *alone = text_make("%s!", name);
		bool has_value = text_is_word_in(name, known), flag = text_is_word_in(alone, known);

		free(alone);
		if (argv[i][0] != '-' || !argv[i][1]) {
			l->words[l->n_words++] = argv[i];
			continue;
		}
		if ((!has_value && !flag) || (has_value && i + 1 == argc) || l->n_options == OPTIONS_MAX)
			die("unknown option, or an option without its value: %s", argv[i]);
		l->options[l->n_options].name = name;
		l->options[l->n_options++].value = has_value ? argv[++i] : "";
	}
}

/* kit.conf, with the cases and requirements that came with the kit where it names none. */
static void read_kit(const char *dir, struct kit *k)
{
	struct buf why = {0};

	if (kit_read(dir, k, &why) < 0)
		die("%s", why.p);
	if (!*k->cases) {
		free(k->cases);
		k->cases = place_of("cases");
	}
	if (!*k->requirements) {
		free(k->requirements);
		k->requirements = place_of("requirements");
	}
}

/* Dies with all that is wrong in them. */
static void read_cases(const char *dir, const char *profile, const char *id, struct case_list *out)
{
	struct buf why = {0};

	if (case_list_read(dir, profile, id, out, &why) < 0 || check_cases(out, &why) < 0)
		die("%s", why.p);
}

static int command_init(const struct line *l)
{
	struct case_list cases = {0};
	struct buf why = {0};
	struct kit k;

	if (kit_write(l->words[0], l->words + 1, l->n_words - 1, &why) < 0)
		die("%s", why.p);
	read_kit(l->words[0], &k);
	read_cases(k.cases, NULL, NULL, &cases);
	if (world_make(&k, &cases, &why) < 0 || tester_make(&k, &why) < 0)
		die("%s", why.p);
	printf(
	    "%s: %zu cases. For the operator of the gateway: %s/INSTRUCTIONS.html, or %s/setup.json for programs.\n",
	    k.dir, cases.n, k.dir, k.dir);
	case_list_free(&cases);
	kit_free(&k);
	return 0;
}

/* Everything that answers while cases are run. */
struct servers {
	struct world *world;
	struct neighbours *neighbours;
	struct web *web;
	struct sink *sink;
};

static void servers_start(const struct kit *k, struct servers *s)
{
	struct buf why = {0};

	s->world = world_open(k, &why);
	s->neighbours = s->world ? neighbours_start(k, &why) : NULL;
	s->web = s->neighbours ? web_open(k, s->world, &why) : NULL;
	s->sink = s->web ? sink_open(k, s->world, &why) : NULL;
	if (!s->sink) {
		neighbours_stop(s->neighbours);
		die("%s", why.p);
	}
}

static void servers_stop(struct servers *s)
{
	sink_close(s->sink);
	web_close(s->web);
	neighbours_stop(s->neighbours);
	world_close(s->world);
}

static int command_serve(const struct line *l)
{
	struct servers s = {0};
	struct kit k;
	sigset_t set;
	int got;

	read_kit(l->words[0], &k);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	servers_start(&k, &s);
	printf("Outside %s, inside %s, DNS %s, LDAP %s, HTTP %s. End with ^C.\n", k.outside_sink, k.inside_sink,
	    k.dns, k.ldap, k.http);
	fflush(stdout);
	sigwait(&set, &got);
	servers_stop(&s);
	kit_free(&k);
	return 0;
}

/* The plan's cases instead of those of --profile and --case; its hash, or NULL. */
static char *follow_plan(const struct line *l, const struct kit *k, struct case_list *cases)
{
	const char *file = option(l, "plan"), *as = option(l, "as");
	struct buf why = {0};
	char hash[65], *ids, *profiles;
	json_t *plan;

	if (!file) {
		read_cases(k->cases, option(l, "profile"), option(l, "case"), cases);
		return NULL;
	}
	plan = plan_read(file, &why);
	if (!plan || !as)
		die("%s", plan ? "--plan needs --as NAME: which party you are" : why.p);
	if (option(l, "profile") || option(l, "case"))
		die("a plan says which cases are run: no --profile or --case beside it");
	ids = plan_case_ids(plan);
	profiles = plan_profiles(plan);
	read_cases(k->cases, profiles, ids, cases);
	if (plan_check_cases(plan, cases, &why) < 0 || plan_check_kit(plan, k, as, time(NULL), &why) < 0)
		die("%s", why.p);
	plan_hash(plan, hash);
	free(ids);
	free(profiles);
	json_decref(plan);
	return text_copy(hash);
}

/* A sentence to standard error, as it can be shown: a part of it may be the gateway's */
static void complain(const char *what, const struct buf *why)
{
	struct buf shown = {0};

	visible_add(&shown, why->p ? why->p : "", why->n);
	fprintf(stderr, "postern-interop: %s%s\n", what, shown.p);
	buf_free(&shown);
}

/* Report, signature, countersignature. 0 or 1 */
static int finish(const struct kit *k, struct servers *s, const char *dir)
{
	struct buf why = {0};
	int rc = 0;

	if (report_write(k, dir, &why) < 0) {
		complain("no report: ", &why);
		rc = 1;
	} else if (report_countersign(k, s->world, s->sink, dir, &why) < 0) {
		complain("the gateway did not countersign: ", &why);
		rc = 1;
	} else {
		printf("report: %s/report.html, signed and countersigned\n", dir);
	}
	buf_free(&why);
	return rc;
}

static int command_run(const struct line *l)
{
	struct servers s = {0};
	struct case_list cases = {0};
	struct run_counts counts = {0};
	struct run_options o = {0};
	struct buf why = {0};
	char *plan, *dir = NULL;
	struct kit k;
	int rc;

	read_kit(l->words[0], &k);
	plan = follow_plan(l, &k, &cases);
	servers_start(&k, &s);
	o = (struct run_options){
	    .kit = &k, .cases = &cases, .plan = plan, .world = s.world, .sink = s.sink, .web = s.web};
	o.second = second_open(&k, &why);
	if (!o.second) {
		fprintf(stderr,
		    "postern-interop: no second judge, so nothing that looks into a message can be passed: %s\n",
		    why.p);
		o.second_missing = why.p;
	}
	rc = run_cases(&o, &counts, &dir, &why) < 0 ? 2 : 0;
	if (rc == 2)
		complain("", &why);
	else if (!option(l, "no-report"))
		rc = finish(&k, &s, dir);
	second_close(o.second);
	servers_stop(&s);
	if (rc != 2)
		printf("%zu cases: %zu passed, %zu failed, %zu not run: %s\n", cases.n, counts.passed, counts.failed,
		    counts.not_run, dir);
	if (rc == 0 && counts.passed != cases.n)
		rc = 1;
	free(plan);
	free(dir);
	buf_free(&why);
	case_list_free(&cases);
	kit_free(&k);
	return rc;
}

/* RUN is DIR/runs/<time>: the kit's directory is two above it. */
static void kit_of_run(const char *run, struct kit *k)
{
	char *real = realpath(run, NULL), *slash;

	for (int i = 0; real && i < 2; i++)
		if ((slash = strrchr(real, '/')))
			*slash = 0;
	if (!real)
		die("%s is not there", run);
	read_kit(real, k);
	free(real);
}

static int command_report(const struct line *l)
{
	const char *old = option(l, "compare");
	struct buf say = {0}, why = {0};
	struct kit k;

	if (old) {
		size_t worse = 0;

		if (compare_runs(old, l->words[0], &say, &worse, &why) < 0)
			die("%s", why.p);
		fputs(say.p, stdout);
		buf_free(&say);
		return worse > 0;
	}
	kit_of_run(l->words[0], &k);
	if (report_write(&k, l->words[0], &why) < 0)
		die("%s", why.p);
	printf("%s/report.html, signed; `run` has it countersigned\n", l->words[0]);
	kit_free(&k);
	return 0;
}

static int command_verify(const struct line *l)
{
	struct buf say = {0};
	int rc = verify_report(l->words[0], option(l, "tester"), option(l, "gateway"), &say);

	fputs(say.p ? say.p : "", stdout);
	buf_free(&say);
	return rc;
}

static int plan_make_file(const struct line *l)
{
	const char *out = option(l, "o"), *profiles = option(l, "profiles"), *days = option(l, "days"),
		   *given = option(l, "cases");
	char *parties[OPTIONS_MAX], *dir = given ? text_copy(given) : place_of("cases");
	struct case_list cases = {0};
	struct buf why = {0};
	size_t n = 0;
	long valid;
	json_t *plan;

	for (size_t i = 0; i < l->n_options; i++)
		if (!strcmp(l->options[i].name, "party"))
			parties[n++] = (char *)l->options[i].value;
	if (!out || !profiles || n != 2 || number_read(days ? days : "30", 1, 3650, &valid) < 0)
		die("plan make --profiles LIST --party NAME,domain,cert --party NAME,domain,cert -o FILE [--days N]");
	read_cases(dir, profiles, NULL, &cases);
	plan = plan_make(&cases, profiles, parties, n, time(NULL), time(NULL) + valid * 86400, &why);
	if (!plan || plan_write(out, plan, &why) < 0)
		die("%s", why.p);
	printf("%s: %zu cases, for %ld days\n", out, cases.n, valid);
	json_decref(plan);
	case_list_free(&cases);
	free(dir);
	return 0;
}

static int command_plan(const struct line *l)
{
	struct buf say = {0};
	int rc;

	if (!strcmp(l->words[0], "make") && l->n_words == 1)
		return plan_make_file(l);
	if (strcmp(l->words[0], "verify") != 0 || l->n_words != 4)
		die("plan make ..., or plan verify FILE RUN RUN");
	rc = plan_verify(l->words[1], l->words[2], l->words[3], &say);
	fputs(say.p ? say.p : "", stdout);
	buf_free(&say);
	return rc;
}

/* All cases and requirements, of a directory with both, or those that came with the kit. */
static void read_all(const char *dir, struct case_list *cases, struct requirement_list *list, struct buf *why)
{
	char *c = dir ? text_make("%s/cases", dir) : place_of("cases"),
	     *r = dir ? text_make("%s/requirements", dir) : place_of("requirements");

	if (case_list_read(c, NULL, NULL, cases, why) < 0 || requirements_read(r, list, why) < 0)
		die("%s", why->p);
	free(c);
	free(r);
}

static int command_check(const struct line *l)
{
	struct requirement_list list = {0};
	struct case_list cases = {0};
	struct buf why = {0};
	int rc = 0;

	read_all(l->n_words > 0 ? l->words[0] : NULL, &cases, &list, &why);
	rc |= check_cases(&cases, &why) < 0;
	rc |= requirements_check(&list, &cases, &why) < 0;
	if (rc)
		fprintf(stderr, "%s\n", why.p);
	printf("%zu cases, %zu requirements%s\n", cases.n, list.n, rc ? ": not as they should be" : "");
	requirements_free(&list);
	case_list_free(&cases);
	buf_free(&why);
	return rc;
}

static int command_profile(const struct line *l)
{
	struct requirement_list list = {0};
	struct case_list cases = {0};
	struct buf out = {0}, why = {0};

	read_all(NULL, &cases, &list, &why);
	if (profile_markdown(&list, &cases, l->words[0], &out, &why) < 0)
		die("%s", why.p);
	fputs(out.p, stdout);
	requirements_free(&list);
	case_list_free(&cases);
	buf_free(&out);
	return 0;
}

static const struct {
	const char *name;
	size_t least, most; /* words behind it */
	const char *options;
	int (*run)(const struct line *);
	const char *help;
} commands[] = {
    {"init", 1, 64, "", command_init,
	"init DIR [NAME=VALUE ...]          makes the world of all cases, and instructions for the gateway's "
	"operator"},
    {"run", 1, 1, "profile,case,plan,as,no-report!", command_run,
	"run DIR [--profile LIST] [--case LIST] [--plan FILE --as NAME] [--no-report]"},
    {"serve", 1, 1, "", command_serve,
	"serve DIR                          only answers: DNS, LDAP, HTTP, both sinks"},
    {"report", 1, 1, "compare", command_report,
	"report RUN [--compare OLD]         writes a run's report anew; what changed since another run"},
    {"verify-report", 1, 1, "tester,gateway", command_verify, "verify-report RUN [--tester CERT] [--gateway CERT]"},
    {"plan", 1, 4, "profiles,party,o,days,cases", command_plan,
	"plan make --profiles LIST --party NAME,DOMAIN,CERT --party ... -o FILE; plan verify FILE RUN RUN"},
    {"check", 0, 1, "", command_check,
	"check [DIR]                        what is wrong with cases and requirements"},
    {"profile", 1, 1, "", command_profile, "profile NAME                       a profile as a document"},
};

static int usage(FILE *f)
{
	fputs("usage: postern-interop COMMAND ...\n", f);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(f, "  %s\n", commands[i].help);
	return f == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct line l = {0};
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return usage(argc < 2 ? stderr : stdout);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name)) {
			read_line(argc - 2, argv + 2, commands[i].options, &l);
			if (l.n_words < commands[i].least || l.n_words > commands[i].most)
				die("usage: postern-interop %s", commands[i].help);
			rc = commands[i].run(&l);
			free(l.words);
			return rc;
		}
	fprintf(stderr, "postern-interop: unknown command %s\n", argv[1]);
	return usage(stderr);
}
