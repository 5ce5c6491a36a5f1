/* The settings' tables as text. */
#include "gateway/base/settings_help.h"

#include "gateway/base/settings_value.h"

static int help_row(const struct setting *row, const char *indent, struct buf *out)
{
	char allowed[400];
	int r;

	settings_value_allowed(row, allowed, sizeof allowed);
	if (!row->dflt)
		r = buf_addf(out, "%s%s (required)\n", indent, row->name);
	else if (row->type == SETTING_LIST)
		r = buf_addf(out, "%s%s = {%s}\n", indent, row->name, row->dflt);
	else
		r = buf_addf(out, "%s%s = %s\n", indent, row->name, *row->dflt ? row->dflt : "\"\"");
	if (r < 0)
		return -1;
	return buf_addf(out, "%s    %s\n%s    Allowed: %s.\n", indent, row->help ? row->help : "", indent, allowed);
}

static int help_section(const struct settings_section *s, struct buf *out)
{
	int named = *s->name != 0;

	if (named && buf_addf(out, "\n%s%s {\n", s->name, s->titled ? " \"TITLE\"" : "") < 0)
		return -1;
	for (size_t i = 0; i < s->nrows; i++)
		if (help_row(&s->rows[i], named ? "    " : "", out) < 0)
			return -1;
	return named ? buf_adds(out, "}\n") : 0;
}

int settings_help(const struct settings_section *sections, size_t nsections, struct buf *out)
{
	for (size_t i = 0; i < nsections; i++)
		if (help_section(&sections[i], out) < 0)
			return -1;
	return 0;
}
