/* postern dns-records: what a domain publishes, in the form of a zone file (RFC 1035 5). */
#include "admin-ui/cli_records.h"

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"

enum { TTL = 3600 };

int cli_records(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const json_t *r;
	size_t i;
	int rc;

	cli_json_set_str(args, "domain", c->args.words[0]);
	rc = cli_call(c, "domain.records", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		json_array_foreach(json_object_get(data, "records"), i, r)
		{
			cli_out_line("; %s", cli_json_str(r, "note"));
			if (cli_json_str(r, "type")[0])
				cli_out_line("%s %d IN %s %s", cli_json_str(r, "owner"), TTL, cli_json_str(r, "type"),
				    cli_json_str(r, "data"));
		}
	json_decref(data);
	return rc;
}
