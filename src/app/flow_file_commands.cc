// flow schema, flow fmt, flow import.

#include "app/flow_file_commands.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "activities/catalog.h"
#include "app/exit_code.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "block/flow_schema.h"
#include "intake/agents_sdk.h"
#include "intake/n8n.h"
#include "language/flow.h"
#include "spec/yaml_layout.h"

namespace holdfast::app {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Status cannot_write(const std::string& file, int error) {
  return {error == EEXIST ? Code::kAlreadyExists : Code::kUnavailable,
          fmt::format("{} cannot be written: {}", file, std::strerror(error))};
}

// A new file with that text.
Status write_new(const std::string& file, std::string_view text, mode_t mode) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return cannot_write(file, errno);
  Status out;
  while (!text.empty() && out.ok()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) out = cannot_write(file, errno);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(fd) != 0 && out.ok()) out = cannot_write(file, errno);
  if (!out.ok()) ::unlink(file.c_str());
  return out;
}

// The whole text, or what was there before: through links, with the rights that the file has.
Status replace_file(const std::string& file, std::string_view text) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  struct stat was{};
  if (error || ::stat(real.c_str(), &was) != 0) return cannot_write(file, errno);
  const std::string beside = fmt::format("{}.{}.new", real.string(), ::getpid());
  if (Status written = write_new(beside, text, 0600); !written.ok()) return written;
  if (::chmod(beside.c_str(), was.st_mode & 07777) == 0 && ::rename(beside.c_str(), real.c_str()) == 0)
    return {};
  const int why = errno;
  ::unlink(beside.c_str());
  return cannot_write(file, why);
}

}  // namespace

int print_flow_schema() {
  print_line(flows::flow_schema());
  return kExitOk;
}

int format_flows(const FlowFmtOptions& options) {
  int exit_code = kExitOk;
  for (const std::string& file : options.files) {
    const auto text = read_file(file, flows::kMaxFlowBytes);
    const auto laid_out = text ? spec::lay_out_yaml(*text, file) : fail(text.error());
    if (!laid_out) {
      exit_code = exit_code_of(laid_out.error());
      report_error(laid_out.error());
      continue;
    }
    if (file == "-" && !options.check) {
      if (!write_out(*laid_out)) end_without_output(errno);
      continue;
    }
    if (*laid_out == *text) continue;
    print_line(one_line(file));
    if (options.check) {
      exit_code = exit_code == kExitOk ? kExitError : exit_code;
    } else if (Status written = replace_file(file, *laid_out); !written.ok()) {
      return refuse(written);
    }
  }
  return exit_code;
}

// ---- import

namespace {

// Files of agents can be applied as they are, or the report says why not.
void check_agents(flows::ImportedFlow& flow) {
  for (const auto& [file, text] : flow.agents) {
    if (auto read = agent::parse_definition(text, file); !read)
      flow.notes.push_back({flows::ImportNote::Kind::kCheck, file, std::string(read.error().message())});
  }
}

const char* kind_text(flows::ImportNote::Kind kind) {
  switch (kind) {
    case flows::ImportNote::Kind::kBecame: return "became";
    case flows::ImportNote::Kind::kCheck: return "check";
    default: return "left out";
  }
}

std::string summary(const flows::ImportedFlow& flow) {
  std::size_t check = 0, left_out = 0;
  for (const flows::ImportNote& note : flow.notes) {
    check += note.kind == flows::ImportNote::Kind::kCheck ? 1 : 0;
    left_out += note.kind == flows::ImportNote::Kind::kLeftOut ? 1 : 0;
  }
  return fmt::format("{} steps: {} became blocks, {} have no counterpart; {} things to check, {} left out",
                     flow.nodes, flow.nodes - flow.left_out, flow.left_out, check, left_out);
}

std::string report_text(const flows::ImportedFlow& flow) {
  std::string out;
  for (const flows::ImportNote& note : flow.notes)
    out += one_line(fmt::format("{}: {}: {}", note.of.empty() ? "(workflow)" : note.of, kind_text(note.kind),
                                note.what)) +
           "\n";
  return out + summary(flow) + "\n";
}

Json report_json(const flows::ImportedFlow& flow) {
  Json notes = Json::array();
  for (const flows::ImportNote& note : flow.notes)
    notes.push_back({{"of", note.of}, {"kind", kind_text(note.kind)}, {"what", note.what}});
  return {{"flow", flow.name},
          {"steps", flow.nodes},
          {"without_counterpart", flow.left_out},
          {"notes", std::move(notes)}};
}

// Nothing that is there is written over.
Status write_files(const flows::ImportedFlow& flow, const std::string& folder, Json& files) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::vector<std::pair<std::string, std::string>> all = {{flow.name + ".import.txt", report_text(flow)}};
  if (!flow.yaml.empty()) all.emplace_back(flow.name + ".yaml", flow.yaml);
  all.insert(all.end(), flow.agents.begin(), flow.agents.end());
  for (const auto& [name, text] : all) {
    const std::string file = (fs::path(folder) / name).string();
    if (fs::exists(file, error))
      return {Code::kAlreadyExists, fmt::format("{} is there already; name another --out", file)};
  }
  for (const auto& [name, text] : all) {
    const std::string file = (fs::path(folder) / name).string();
    if (Status written = write_new(file, text, 0666); !written.ok()) return written;
    files.push_back(file);
  }
  return {};
}

}  // namespace

int import_flow(const FlowImportOptions& options) {
  const auto text = read_file(options.file, flows::kMaxFlowBytes);
  if (!text) return refuse(text.error());
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && ((*text)[first] == '{' || (*text)[first] == '[');
  auto flow = json ? flows::import_n8n(*text, options.file, options.name)
                   : flows::import_agents_sdk(*text, options.file, options.name);
  if (!flow) return refuse(flow.error());
  check_agents(*flow);
  Json report = report_json(*flow);
  if (options.folder) {
    Json files = Json::array();
    if (Status written = write_files(*flow, *options.folder, files); !written.ok()) {
      if (written.code() != Code::kAlreadyExists) return refuse(written);
      report_error("exists", written.message(), "nothing was written");
      return kExitConflict;
    }
    if (!options.json) {
      for (const Json& file : files) print_line(one_line(file.get<std::string>()));
    }
    report["files"] = std::move(files);
  } else if (!options.json) {
    if (!write_out(flow->yaml)) end_without_output(errno);
    for (const auto& [name, unused] : flow->agents)
      complain(fmt::format("{} is written with --out FOLDER", name));
  } else {
    report["yaml"] = flow->yaml;
  }
  if (options.json) {
    print_line(dump_json(report));
  } else {
    print_progress(printable(report_text(*flow)));
  }
  return kExitOk;
}

}  // namespace holdfast::app
