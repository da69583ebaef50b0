// SPDX-License-Identifier: MIT
/*
 * The two forms of a report: matrices for people, JSON for programs.
 */
#include <math.h>
#include <sys/utsname.h>

#include "igt.h"
#include "nouveau_drm.h"
#include "nv_report.h"

#define MiB (1ul << 20)

static struct {
	bool json;
	int nr_cases;
} report;

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_field(const char *name, const char *text)
{
	print_string(name);
	printf(": ");
	print_string(text);
}

static const char *p2p_json(enum report_p2p p2p)
{
	return p2p == REPORT_P2P_ANY ? "null" : p2p == REPORT_P2P_ON ? "true" : "false";
}

static void print_gpu(const struct nv_gpu *gpu, int index)
{
	const unsigned long long vram = nv_getparam(gpu->fd, NOUVEAU_GETPARAM_FB_SIZE);
	const unsigned long long bar1 = nv_bar1_size(gpu);

	if (!report.json) {
		printf("GPU%d  %s  NV%x  available VRAM %llu MiB  BAR1 %llu MiB\n", index,
		       gpu->slot, gpu->chipset, vram / MiB, bar1 / MiB);
		return;
	}
	printf("%s\n    {\"index\": %d, ", index ? "," : "", index);
	print_field("pci", gpu->slot);
	printf(", \"chipset\": \"NV%x\", \"available_vram_bytes\": %llu, \"bar1_bytes\": %llu}",
	       gpu->chipset, vram, bar1);
}

/**
 * report_begin:
 * @json: the form
 * @commands: what was asked for
 * @gpus: the rows and columns of what follows
 * @nr_gpus: their number
 */
void report_begin(bool json, const char *commands, const struct nv_gpu *gpus, int nr_gpus)
{
	const int param = nv_p2p_param_get();
	struct utsname uname_;

	report.json = json;
	igt_assert_eq(uname(&uname_), 0);
	if (json) {
		printf("{");
		print_field("command", commands);
		printf(", \"driver\": \"nouveau\", ");
		print_field("kernel", uname_.release);
		printf(", \"svm_p2p\": %s,\n  \"gpus\": [", param < 0 ? "null"
							    : param   ? "true"
								      : "false");
	} else {
		printf("nouveau, kernel %s, nouveau.svm_p2p %s\n\n", uname_.release,
		       param < 0 ? "is not there"
		       : param	 ? "on"
				 : "off");
	}
	for (int i = 0; i < nr_gpus; i++)
		print_gpu(&gpus[i], i);
	printf(json ? "\n  ]" : "\n");
}

/* How each GPU reaches each other one. Comes before all cases. */
void report_pairs(const struct report_pair *pairs, int nr_pairs)
{
	if (report.json)
		printf(",\n  \"pairs\": [");
	for (int i = 0; i < nr_pairs; i++) {
		const struct report_pair *pair = &pairs[i];

		if (!report.json) {
			printf("GPU%d %s GPU%d's memory: %s (%s)\n", pair->importer,
			       pair->p2p ? "maps" : "cannot map", pair->owner, pair->reason,
			       nv_route_name(pair->route));
			continue;
		}
		printf("%s\n    {\"owner\": %d, \"importer\": %d, \"route\": \"%s\", \"p2p\": %s, ",
		       i ? "," : "", pair->owner, pair->importer, nv_route_name(pair->route),
		       pair->p2p ? "true" : "false");
		print_field("p2p_reason", pair->reason);
		printf("}");
	}
	printf(report.json ? "\n  ]" : "\n");
}

/* Returns: the number of values that there are. */
static int summarise(const struct report_case *c, double *sum, double *min, double *max)
{
	int count = 0;

	*sum = 0;
	for (int row = 0; row < c->rows; row++) {
		for (int column = 0; column < c->columns; column++) {
			const double value = c->value[row][column];

			if (isnan(value))
				continue;
			*min = count ? fmin(*min, value) : value;
			*max = count ? fmax(*max, value) : value;
			*sum += value;
			count++;
		}
	}

	return count;
}

static const char *status_name(enum report_status status)
{
	static const char *const names[] = { "Passed", "Waived", "Error" };

	return names[status];
}

static void print_cell_text(const struct report_case *c, int row, int column)
{
	if (!c->unit)
		printf("%10s", c->text[row][column]);
	else if (isnan(c->value[row][column]))
		printf("%10s", "N/A");
	else
		printf(c->value[row][column] && fabs(c->value[row][column]) < 1 ? "%10.4f"
										: "%10.2f",
		       c->value[row][column]);
}

static void print_case_text(const struct report_case *c)
{
	double sum, min, max;

	printf("%s%s%s\n", c->name, c->p2p == REPORT_P2P_ANY ? "" : ", P2P ",
	       c->p2p == REPORT_P2P_ANY	 ? ""
	       : c->p2p == REPORT_P2P_ON ? "on"
					 : "off");
	if (c->status == REPORT_WAIVED) {
		printf("waived: %s\n\n", c->waived);
		return;
	}
	printf("%s%s%s%s\n   ", c->description, c->unit ? " (" : "", c->unit ? c->unit : "",
	       c->unit ? ")" : "");
	for (int column = 0; column < c->columns; column++)
		printf("%10d", column);
	printf("\n");
	for (int row = 0; row < c->rows; row++) {
		printf("%2d ", row);
		for (int column = 0; column < c->columns; column++)
			print_cell_text(c, row, column);
		printf("\n");
	}
	printf("\n");
	if (c->sum && summarise(c, &sum, &min, &max))
		printf("SUM %s %.2f\n\n", c->name, sum);
	if (c->status == REPORT_ERROR)
		printf("ERROR: %s: data was wrong\n\n", c->name);
}

static void print_cell_json(const struct report_case *c, int row, int column)
{
	if (!c->unit)
		print_string(c->text[row][column]);
	else if (isnan(c->value[row][column]))
		printf("null");
	else
		printf("%.4f", c->value[row][column]);
}

static void print_case_json(const struct report_case *c)
{
	double sum, min, max;
	int count;

	printf("%s\n    {", report.nr_cases ? "," : ",\n  \"testcases\": [");
	print_field("name", c->name);
	printf(", \"p2p\": %s, \"status\": \"%s\"", p2p_json(c->p2p), status_name(c->status));
	if (c->status == REPORT_WAIVED) {
		printf(", ");
		print_field("reason", c->waived);
		printf("}");
		return;
	}
	printf(",\n     ");
	print_field("bandwidth_description", c->description);
	printf(", ");
	print_field("unit", c->unit ? c->unit : "");
	printf(",\n     \"bandwidth_matrix\": [");
	for (int row = 0; row < c->rows; row++) {
		printf("%s[", row ? ", " : "");
		for (int column = 0; column < c->columns; column++) {
			printf("%s", column ? ", " : "");
			print_cell_json(c, row, column);
		}
		printf("]");
	}
	printf("]");
	count = c->unit ? summarise(c, &sum, &min, &max) : 0;
	if (count)
		printf(",\n     \"sum\": %.4f, \"min\": %.4f, \"max\": %.4f, \"average\": %.4f",
		       sum, min, max, sum / count);
	printf("}");
}

void report_case(const struct report_case *c)
{
	if (report.json)
		print_case_json(c);
	else
		print_case_text(c);
	report.nr_cases++;
	fflush(stdout);
}

/**
 * report_end:
 * @verified: whether all data was right
 */
void report_end(bool verified)
{
	if (report.json)
		printf("%s,\n  \"verified\": %s}\n", report.nr_cases ? "\n  ]" : "",
		       verified ? "true" : "false");
}
