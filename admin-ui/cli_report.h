/* postern explain, trace, audit: what would happen, what happened, and what was changed. */
#ifndef POSTERN_ADMIN_UI_CLI_REPORT_H
#define POSTERN_ADMIN_UI_CLI_REPORT_H

#include "admin-ui/cli.h"

int cli_report_explain(struct cli *c);
int cli_report_trace(struct cli *c);
int cli_report_audit_list(struct cli *c);
int cli_report_audit_verify(struct cli *c);

#endif
