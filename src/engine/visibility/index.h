#pragma once

// Index: the answers to "which executions match this?" (ListWorkflowExecutions, CountWorkflowExecutions),
// kept in one SQLite file of the data directory. It is an index, never a second truth: the engine feeds it in
// commit order from the durable visibility feed, and a lost or damaged file is rebuilt from there.
// docs/formats/visibility.md has the tables.
//
// Owner: the engine holds one. Thread-safe: apply(), list() and count() run beside each other, each on an
// SQLite connection of its own. Failures: a bad query or token is kInvalidArgument and names the position;
// anything else is the file's fault (kInternal, kResourceExhausted for a full disk, kDataLoss for a damaged
// file). open() replaces a file that is damaged or of another format by an empty one, applied() 0: the feed
// starts from the beginning.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/messages.h"
#include "holdfast/status.h"
#include "visibility/attributes.h"

namespace holdfast::visibility {

// What is indexed about one run: its whole state, not a difference. The last record of a run wins.
struct Record {
  std::string namespace_id{};
  // temporal.api.workflow.v1.WorkflowExecutionInfo, serialised: execution, type, status, times, task_queue,
  // history_length, parent/root, memo and search_attributes (JSON payloads whose metadata may carry `type`).
  // List calls return it unchanged. Empty bytes with `run_id` set: the run is gone (deleted, past its
  // retention).
  std::string info{};
  std::string run_id{};  // read only when info is empty
};

struct Entry {
  std::uint64_t sequence = 0;  // position in the engine's feed; strictly rising, gaps are fine
  Record record{};
};

struct ListRequest {
  std::string namespace_id{};
  std::string query{};          // Temporal's list filter; empty: everything
  std::uint32_t page_size = 0;  // 0: kDefaultPageSize; more than kMaxPageSize is cut to it
  std::string page_token{};     // from the previous page of the same query
  // Search attributes registered for the namespace. A name that is neither here nor one that every namespace
  // has is a bad query, whatever records hold.
  std::map<std::string, AttributeType> custom_attributes{};
  // Asked now and then; true ends the call with kCancelled.
  std::function<bool()> stop{};
};

struct ListResult {
  std::vector<pb::workflow::v1::WorkflowExecutionInfo> executions;
  std::string next_page_token;  // empty: this was the last page
};

// By namespace: the names of its own that its records give values to, each with the type most of them have.
using UsedAttributes = std::map<std::string, std::map<std::string, AttributeType>>;

struct CountResult {
  struct Group {
    std::string value;  // "Running", "Completed", ...
    std::uint64_t count = 0;
  };
  std::uint64_t count = 0;
  std::vector<Group> groups;  // only with GROUP BY ExecutionStatus
};

class Index {
 public:
  static constexpr std::uint32_t kDefaultPageSize = 1000;
  static constexpr std::uint32_t kMaxPageSize = 1000;
  // A page ends early once its records have so many bytes: clients refuse messages of more than 4 MiB.
  static constexpr std::size_t kMaxPageBytes = 2u << 20;
  static constexpr std::size_t kMaxQueryBytes = 16 * 1024;
  // SQLite's parser has a stack of its own, three deep per level.
  static constexpr int kMaxQueryDepth = 24;
  static constexpr std::size_t kMaxSortKeys = 8;

  struct Options {
    std::string path{};  // the file; its folder exists
    std::string vfs{};   // name of a registered SQLite VFS; empty: the machine's own
  };

  static Result<std::unique_ptr<Index>> open(const Options& options);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Sequence of the last entry applied, 0 for a fresh file: the feed resumes behind it.
  std::uint64_t applied() const;

  // Applies entries in order and moves applied() in one transaction. Entries at or below applied() are
  // skipped, so a repeated feed changes nothing. Does not wait for the disk: after a power loss applied() may
  // be smaller than before.
  Status apply(std::span<const Entry> entries);

  // Rebuilding: start_load() empties the index and sets applied() to 0, where load() leaves it, so that a
  // rebuild that was interrupted starts again from the beginning. finish_load() moves it to `sequence`, at
  // least 1: the last entry of the feed that the records already tell about.
  Status start_load();
  Status load(std::span<const Record> records);
  Status finish_load(std::uint64_t sequence);

  // Forces everything applied to the disk and returns applied(): feed entries up to it are no longer needed.
  Result<std::uint64_t> flush();

  Result<ListResult> list(const ListRequest& request) const;
  Result<CountResult> count(const ListRequest& request) const;

  // Reads every record: for a store that comes from before names had to be registered, once.
  Result<UsedAttributes> used_attributes() const;

 private:
  struct Impl;
  class Reader;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::visibility
