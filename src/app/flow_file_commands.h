#pragma once

// Commands about flow files: their schema, their layout, what two say differently, their cases, and what is
// made of files of others. None needs a server, but a comparison with what one has.

#include "app/commands.h"

namespace holdfast::app {

int print_flow_schema();

struct FlowFmtOptions {
  std::vector<std::string> files;  // "-": standard input, and the result on standard output
  bool check = false;              // write nothing
};
int format_flows(const FlowFmtOptions& options);

struct FlowDiffOptions {
  ApiOptions api;
  std::string before;  // a file, NAME or NAME@VERSION
  std::optional<std::string> after;
};
int diff_flows(const FlowDiffOptions& options);

struct FlowTestOptions {
  std::string file;                  // of the flow, or of its cases
  std::optional<std::string> cases;  // none: the file beside it
  std::optional<std::string> only;   // the case of that name
  bool json = false;
};
int test_flow(const FlowTestOptions& options);

// A part of a flow, here and without a server.
struct FlowPartOptions {
  std::string file;
  std::string input = "null";  // JSON, or a text
  std::string until;           // the block and what leads to it
  std::string only;            // or this block alone
  std::optional<std::string> pinned;
  std::string of_case;  // of a file of cases: whose `pinned`
  bool json = false;
};
int run_part_of_flow(const FlowPartOptions& options);

// A run of a flow, on a server.
struct FlowHappenedOptions {
  ApiOptions api;
  std::string run;
};
int plan_of_run(const FlowHappenedOptions& options);

struct FlowImportOptions {
  std::string file;  // "-": standard input
  std::string name;
  std::optional<std::string> folder;  // none: the flow goes to standard output
  bool json = false;
};
int import_flow(const FlowImportOptions& options);

}  // namespace holdfast::app
