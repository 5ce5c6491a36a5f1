/* settings.show, see the header. Role judge. */
#include "gateway/proc/judge_admin_settings.h"

#include <string.h>

#include "gateway/base/settings_show.h"
#include "gateway/proc/conf.h"
#include "gateway/proc/judge_admin.h"

/* Many domains make many settings: an answer has at most so many, and texts of at most so many octets together. */
enum { MATCH_MAX = 200, ROWS_MAX = 2000, OCTETS_MAX = 4 * 1024 * 1024 };

struct showing {
	const char *match;
	bool changed, more;
	json_t *rows;
	size_t octets;
};

static bool fits(const struct showing *sh, const struct settings_shown *s)
{
	if (sh->changed && !s->changed)
		return false;
	return !sh->match || strcasestr(s->section, sh->match) || strcasestr(s->title, sh->match) ||
	       strcasestr(s->name, sh->match) || strcasestr(s->value, sh->match);
}

static void add(void *ctx, const struct settings_shown *s)
{
	struct showing *sh = ctx;
	json_t *o;

	if (!fits(sh, s))
		return;
	sh->octets += strlen(s->value) + strlen(s->help) + (s->dflt ? strlen(s->dflt) : 0);
	if (json_array_size(sh->rows) == ROWS_MAX || sh->octets > OCTETS_MAX) {
		sh->more = true;
		return;
	}
	o = judge_call_object();
	judge_call_set(o, "section", judge_call_text(s->section));
	judge_call_set(o, "title", judge_call_text(s->title));
	judge_call_set(o, "name", judge_call_text(s->name));
	judge_call_set(o, "value", judge_call_text(s->value));
	judge_call_set(o, "default", s->dflt && !s->hidden ? judge_call_text(s->dflt) : json_null());
	judge_call_set(o, "changed", json_boolean(s->changed));
	judge_call_set(o, "hidden", json_boolean(s->hidden));
	judge_call_set(o, "help", judge_call_text(s->help));
	judge_call_add(sh->rows, o);
}

int judge_admin_settings_show(struct judge_call *c)
{
	struct showing sh = {.match = NULL};

	if (judge_call_str(c, "match", JUDGE_MAY, MATCH_MAX, &sh.match) < 0 ||
	    judge_call_bool(c, "changed", false, &sh.changed) < 0)
		return -1;
	if (!c->ja->world->conf)
		return judge_call_fail(c, "unavailable", "the configuration is not known here");
	sh.rows = judge_call_array();
	judge_call_set(c->data, "settings", sh.rows);
	if (conf_show(c->ja->world->conf, add, &sh) < 0)
		return judge_call_fail(c, "unavailable", "a value of the configuration is too long to be shown");
	judge_call_set(c->data, "more", json_boolean(sh.more));
	return 0;
}
