/* The table of section "alerts". Pure. */
#include "gateway/proc/alert_settings.h"

#include <string.h>

#include "gateway/mail/address.h"

/* Of which domain it is, conf_limits.c looks at. */
static int check_mail(const char *v, struct problem *pr)
{
	struct address a;

	if (address_parse(v, strlen(v), &a, NULL) != 0 || a.domain[0] == '\0')
		return problem_perm(pr, "addresses such as postmaster@hospital.example");
	return 0;
}

#define AT(f) offsetof(struct alert_settings, f)

static const struct setting rows[] = {
    {.name = "alert-mail",
	.type = SETTING_LIST,
	.offset = AT(mail),
	.dflt = "",
	.max = 320,
	.help =
	    "Who is told by mail what wants the admin (what runs out, decisions that wait, partners that stopped to "
	    "protect, mail that is held or waits long, keys or database in trouble): addresses of our domains; "
	    "empty: nobody.",
	.check = check_mail},
    {.name = "digest-hour",
	.type = SETTING_INT,
	.offset = AT(digest_hour),
	.dflt = "6",
	.min = 0,
	.max = 23,
	.help =
	    "The hour (UTC) from which on what is not urgent is told, in one mail a day; urgent things are told at "
	    "once."},
    {.name = "mails-per-day",
	.type = SETTING_INT,
	.offset = AT(mails_per_day),
	.dflt = "12",
	.min = 1,
	.max = 1000,
	.help =
	    "How many such mails are sent in a day (UTC), the daily one among them; what is left over is told the "
	    "next day."},
    {.name = "queue-age",
	.type = SETTING_DURATION,
	.offset = AT(queue_age),
	.dflt = "4h",
	.min = 1000,
	.max = INT64_C(30) * 86400 * 1000,
	.help = "A message that waits in the queue for longer is an alert."},
    {.name = "interval",
	.type = SETTING_DURATION,
	.offset = AT(interval),
	.dflt = "1m",
	.min = 1000,
	.max = 3600 * 1000,
	.help = "How often is looked whether there is something to tell."},
};
const struct settings_section alert_settings_section = {
    "alerts", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct alert_settings), false};
