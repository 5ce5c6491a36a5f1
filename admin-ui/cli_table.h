/* Tables that stay within the terminal, or within 80 columns. */
#ifndef POSTERN_ADMIN_UI_CLI_TABLE_H
#define POSTERN_ADMIN_UI_CLI_TABLE_H

enum { CLI_TABLE_COLUMNS_MAX = 8 };

struct cli_table;
/* heads: NULL-ended. A head that begins with '>' stands for a column with its values at the right; with '~', for one
 * that may be shortened ("…") when the table is too wide: only for what `show` gives in full. */
struct cli_table *cli_table_new(const char *const *heads);
/* As many values as heads; copied, cleaned. */
void cli_table_row(struct cli_table *t, const char *const *values);
/* Prints and frees. Nothing but `none` when there are no rows. */
void cli_table_print(struct cli_table *t, const char *none);

#endif
