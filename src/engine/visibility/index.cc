#include "visibility/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/check.h"
#include "base/ids.h"
#include "base/storage_fault.h"
#include "sqlite/database.h"
#include "sqlite/statement.h"
#include "visibility/query.h"
#include "visibility/sql.h"
#include "visibility/writer.h"

namespace holdfast::visibility {

using sqlite::Database;
using sqlite::Statement;

namespace {

// Of the tables below. A file of another version is thrown away and fed again.
// 2: the same tables. Files of format 1 may hold old states of runs, from entries applied twice.
// 3: an attribute may have several types.
constexpr std::int64_t kFormat = 3;

// WAL with synchronous=NORMAL: a commit does not wait for the disk, a power loss may take back the last
// transactions as a whole, and the feed brings them again.
constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2048; PRAGMA mmap_size=0; "
    "PRAGMA temp_store=MEMORY; PRAGMA recursive_triggers=ON; PRAGMA journal_size_limit=16777216;";

// Pages of the file that one transaction gives back to the disk at most.
constexpr const char* kGiveBack = "PRAGMA incremental_vacuum(2000)";

constexpr std::chrono::seconds kBusyTimeout{5};

constexpr const char* kReaderPragmas =
    "PRAGMA query_only=ON; PRAGMA cache_size=-2048; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;";

constexpr const char* kSchema =
    "CREATE TABLE feed(only INTEGER PRIMARY KEY CHECK(only = 1), applied INTEGER NOT NULL);"
    "INSERT INTO feed VALUES(1, 0);"
    "CREATE TABLE execution("
    "  id INTEGER PRIMARY KEY, namespace_id TEXT NOT NULL, run_id TEXT NOT NULL, workflow_id TEXT NOT NULL,"
    "  workflow_type TEXT NOT NULL, task_queue TEXT NOT NULL, status INTEGER NOT NULL, start_time INTEGER "
    "NOT NULL,"
    "  execution_time INTEGER NOT NULL, close_time INTEGER, sort_time INTEGER NOT NULL,"
    "  history_length INTEGER NOT NULL, history_size_bytes INTEGER NOT NULL, state_transition_count INTEGER "
    "NOT NULL,"
    "  parent_workflow_id TEXT, parent_run_id TEXT, root_workflow_id TEXT, root_run_id TEXT, info BLOB NOT "
    "NULL,"
    "  UNIQUE(namespace_id, run_id));"
    "CREATE INDEX execution_by_time ON execution(namespace_id, sort_time, start_time, run_id);"
    "CREATE INDEX execution_by_workflow ON execution(namespace_id, workflow_id, sort_time, start_time, "
    "run_id);"
    "CREATE INDEX execution_by_status ON execution(namespace_id, status, sort_time, start_time, run_id);"
    "CREATE INDEX execution_by_type ON execution(namespace_id, workflow_type, sort_time, start_time, run_id);"
    "CREATE TABLE attribute(name TEXT NOT NULL, value NOT NULL, execution INTEGER NOT NULL,"
    "  PRIMARY KEY(name, value, execution)) WITHOUT ROWID;"
    "CREATE INDEX attribute_of_execution ON attribute(execution, name);"
    "CREATE TRIGGER attributes_go AFTER DELETE ON execution BEGIN"
    "  DELETE FROM attribute WHERE execution = old.id; END;"
    "CREATE TABLE attribute_name(namespace_id TEXT NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL,"
    "  PRIMARY KEY(namespace_id, name, type)) WITHOUT ROWID;"
    "PRAGMA user_version=3;";

// In the words of an engine, whose caller can do nothing about the file.
Status index_status(const Status& status) {
  Code code = Code::kInternal;
  switch (fault_of(status)) {
    case StorageFault::kNone: return status;
    case StorageFault::kCorrupt: code = Code::kDataLoss; break;
    case StorageFault::kFull: code = Code::kResourceExhausted; break;
    case StorageFault::kReadOnly: code = Code::kPermissionDenied; break;
    default: break;
  }
  return {code, "visibility index: " + status.message()};
}

// A token is the sort keys of the last row, behind a hash that ties it to its query.
std::string write_token(std::uint64_t hash, const std::vector<SqlValue>& keys) {
  std::string token = fmt::format("{:016x}", hash);
  for (const SqlValue& key : keys) {
    if (const auto* number = std::get_if<std::int64_t>(&key)) {
      token += fmt::format(";i{}", *number);
    } else if (const auto* text = std::get_if<std::string>(&key)) {
      token += fmt::format(";s{}:{}", text->size(), *text);
    } else {
      token += fmt::format(";d{}", std::get<double>(key));
    }
  }
  return token;
}

std::optional<std::vector<SqlValue>> read_token(std::string_view token, std::uint64_t hash,
                                                std::size_t keys) {
  const std::string head = fmt::format("{:016x}", hash);
  if (!token.starts_with(head)) return std::nullopt;
  token.remove_prefix(head.size());
  std::vector<SqlValue> values;
  while (token.size() >= 2 && token[0] == ';') {
    const char kind = token[1];
    token.remove_prefix(2);
    const std::size_t end = token.find(kind == 's' ? ':' : ';');
    const std::string number(token.substr(0, std::min(end, token.size())));
    if (number.empty() || number.size() > 32) return std::nullopt;
    char* rest = nullptr;
    if (kind == 'd') {
      values.emplace_back(std::strtod(number.c_str(), &rest));
    } else {
      const std::int64_t whole = std::strtoll(number.c_str(), &rest, 10);
      if (kind == 's') {
        if (end == std::string_view::npos || whole < 0 ||
            token.size() - end - 1 < static_cast<std::size_t>(whole)) {
          return std::nullopt;
        }
        values.emplace_back(std::string(token.substr(end + 1, static_cast<std::size_t>(whole))));
        token.remove_prefix(end + 1 + static_cast<std::size_t>(whole));
      } else {
        values.emplace_back(whole);
      }
    }
    if (*rest != '\0') return std::nullopt;
    if (kind != 's') token.remove_prefix(std::min(end, token.size()));
  }
  if (!token.empty() || values.size() != keys) return std::nullopt;
  return values;
}

}  // namespace

struct Index::Impl {
  Options options;
  mutable std::mutex write_mutex;
  Database writer_db;           // guarded by write_mutex
  RowWriter writer{writer_db};  // guarded by write_mutex
  std::uint64_t applied = 0;    // guarded by write_mutex
  std::mutex readers_mutex;
  std::vector<std::unique_ptr<Database>> readers;  // guarded by readers_mutex; connections at rest

  Status open_files();
  Result<std::unique_ptr<Database>> open_reader() const;
  Status write_entries(std::span<const Entry> entries, std::uint64_t& last);
  static AttributeLookup attributes_of(const ListRequest& request);
};

// A connection for one list or count: one at rest, else a new one. There are as many as ran at a time.
class Index::Reader {
 public:
  static Result<Reader> take(Impl& impl, const ListRequest& request) {
    std::unique_ptr<Database> database;
    {
      const std::lock_guard lock(impl.readers_mutex);
      if (!impl.readers.empty()) {
        database = std::move(impl.readers.back());
        impl.readers.pop_back();
      }
    }
    if (database == nullptr) {
      auto opened = impl.open_reader();
      if (!opened) return fail(index_status(opened.error()));
      database = std::move(*opened);
    }
    database->stop_when(request.stop);
    return Reader(impl, std::move(database));
  }
  ~Reader() {
    if (database_ == nullptr) return;  // moved from
    database_->stop_when({});
    const std::lock_guard lock(impl_->readers_mutex);
    impl_->readers.push_back(std::move(database_));
  }
  Reader(Reader&&) = default;
  Reader& operator=(Reader&&) = delete;

  Database& operator*() const { return *database_; }

 private:
  Reader(Impl& impl, std::unique_ptr<Database> database) : impl_(&impl), database_(std::move(database)) {}

  Impl* impl_;
  std::unique_ptr<Database> database_;
};

Status Index::Impl::open_files() {
  const sqlite::Options write{.vfs = options.vfs, .busy_timeout = kBusyTimeout, .pragmas = kPragmas};
  if (Status status = writer_db.open(options.path, write); !status.ok()) return status;
  auto format = writer_db.number("PRAGMA user_version");
  if (!format) return format.error();
  if (*format == 0) {
    const auto create = [this] { return writer_db.execute(kSchema); };
    if (Status status = sqlite::in_transaction(writer_db, create); !status.ok()) return status;
  } else if (*format != kFormat) {
    return with_fault(Code::kDataLoss, StorageFault::kCorrupt,
                      fmt::format("format {} is not {}", *format, kFormat));
  }
  if (Status status = sqlite::make_shrinkable(writer_db); !status.ok()) return status;
  auto position = writer_db.number("SELECT applied FROM feed");
  if (!position) return position.error();
  applied = static_cast<std::uint64_t>(*position);
  auto reader = open_reader();
  if (!reader) return reader.error();
  readers.push_back(std::move(*reader));
  return {};
}

Result<std::unique_ptr<Database>> Index::Impl::open_reader() const {
  auto reader = std::make_unique<Database>();
  Status status = reader->open(options.path,
                               {.vfs = options.vfs, .busy_timeout = kBusyTimeout, .pragmas = kReaderPragmas});
  if (!status.ok()) return fail(std::move(status));
  return reader;
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  Status status = impl->open_files();
  if (fault_of(status) == StorageFault::kCorrupt) {
    // It is an index: an empty one with applied() 0 is fed again from the beginning.
    impl = std::make_unique<Impl>();
    impl->options = options;
    sqlite::remove_database(options.path, options.vfs);
    status = impl->open_files();
  }
  if (!status.ok()) return fail(index_status(status));
  return std::unique_ptr<Index>(new Index(std::move(impl)));
}

std::uint64_t Index::applied() const {
  const std::lock_guard lock(impl_->write_mutex);
  return impl_->applied;
}

Status Index::Impl::write_entries(std::span<const Entry> entries, std::uint64_t& last) {
  for (const Entry& entry : entries) {
    if (entry.sequence <= last) continue;
    if (Status status = writer.write(entry.record); !status.ok()) return status;
    last = entry.sequence;
  }
  if (writer.take_erased() > 0) {
    if (Status status = writer_db.execute(kGiveBack); !status.ok()) return status;
  }
  return Statement(writer_db, "UPDATE feed SET applied = ?").bind(last).run();
}

Status Index::apply(std::span<const Entry> entries) {
  const std::lock_guard lock(impl_->write_mutex);
  if (entries.empty() || entries.back().sequence <= impl_->applied) return {};
  std::uint64_t last = impl_->applied;
  Status status =
      sqlite::in_transaction(impl_->writer_db, [&] { return impl_->write_entries(entries, last); });
  if (status.ok()) impl_->applied = last;
  return index_status(status);
}

Status Index::start_load() {
  const std::lock_guard lock(impl_->write_mutex);
  Status status = sqlite::in_transaction(impl_->writer_db, [&] {
    return impl_->writer_db.execute(
        "DELETE FROM attribute; DELETE FROM execution; DELETE FROM attribute_name; UPDATE feed SET applied = "
        "0");
  });
  if (status.ok()) impl_->applied = 0;
  return index_status(status);
}

Status Index::load(std::span<const Record> records) {
  const std::lock_guard lock(impl_->write_mutex);
  HF_CHECK(impl_->applied == 0);
  return index_status(sqlite::in_transaction(impl_->writer_db, [&]() -> Status {
    for (const Record& record : records) {
      if (Status status = impl_->writer.write(record); !status.ok()) return status;
    }
    return {};
  }));
}

Status Index::finish_load(std::uint64_t sequence) {
  const std::lock_guard lock(impl_->write_mutex);
  HF_CHECK(impl_->applied == 0);
  std::uint64_t last = std::max<std::uint64_t>(sequence, 1);
  Status status = sqlite::in_transaction(impl_->writer_db, [&] { return impl_->write_entries({}, last); });
  if (status.ok()) impl_->applied = last;
  return index_status(status);
}

Result<std::uint64_t> Index::flush() {
  const std::lock_guard lock(impl_->write_mutex);
  Database& db = impl_->writer_db;
  // The sync of this transaction takes everything before it in the log along.
  Status status = db.execute("PRAGMA synchronous=FULL");
  if (status.ok()) {
    status = sqlite::in_transaction(db, [&] { return db.execute("UPDATE feed SET applied = applied"); });
  }
  (void)db.execute("PRAGMA synchronous=NORMAL");
  if (!status.ok()) return fail(index_status(status));
  return impl_->applied;
}

AttributeLookup Index::Impl::attributes_of(const ListRequest& request) {
  return [&request](const std::string& name) -> std::optional<AttributeType> {
    if (const auto known = predefined_attribute(name)) return known;
    const auto found = request.custom_attributes.find(name);
    if (found == request.custom_attributes.end()) return std::nullopt;
    return found->second;
  };
}

Result<ListResult> Index::list(const ListRequest& request) const {
  const auto query = parse_query(request.query);
  if (!query) return fail(query.error());
  if (!query->group_by.empty()) return bad_query(query->group_by[0].position, "GROUP BY is for counts only");
  const auto keys = sort_keys(*query);
  if (!keys) return fail(keys.error());

  const auto reader = Reader::take(*impl_, request);
  if (!reader) return fail(reader.error());
  auto where = where_clause(*query, Impl::attributes_of(request));
  if (!where) return fail(where.error());
  const std::uint64_t hash = stable_hash(request.query, stable_hash(request.namespace_id));
  if (!request.page_token.empty()) {
    const auto values = read_token(request.page_token, hash, keys->size());
    if (!values)
      return fail(Code::kInvalidArgument, "the page token does not belong to this query; start without one");
    Sql rest = behind(*keys, *values);
    where->text = fmt::format("({}) AND {}", where->text, rest.text);
    where->parameters.insert(where->parameters.end(), rest.parameters.begin(), rest.parameters.end());
  }
  std::string columns, order;
  for (const SortKey& key : *keys) {
    columns += ", " + key.sql;
    order += (order.empty() ? "" : ", ") + key.sql + (key.descending ? " DESC" : " ASC");
  }
  const std::uint32_t page =
      std::min(request.page_size == 0 ? kDefaultPageSize : request.page_size, kMaxPageSize);
  Statement statement = Statement::once(
      **reader, fmt::format("SELECT info{} FROM execution WHERE namespace_id = ? AND {} ORDER BY {} LIMIT {}",
                            columns, where->text, order, page + 1));
  statement.bind(request.namespace_id);
  for (const SqlValue& value : where->parameters) statement.bind(value);

  ListResult result;
  std::vector<SqlValue> last;
  std::size_t bytes = 0;
  while (statement.next()) {
    const std::string_view info = statement.view(0);
    const bool full = bytes + info.size() > kMaxPageBytes && !result.executions.empty();
    if (full || result.executions.size() == page) {  // one more is there
      result.next_page_token = write_token(hash, last);
      return result;
    }
    bytes += info.size();
    if (!result.executions.emplace_back().ParseFromArray(info.data(), static_cast<int>(info.size()))) {
      return fail(Code::kDataLoss,
                  "visibility index: a record is damaged; delete the file to have it rebuilt");
    }
    last.clear();
    for (std::size_t i = 0; i < keys->size(); ++i)
      last.push_back(value_of(statement, static_cast<int>(i) + 1));
  }
  if (!statement.status().ok()) return fail(index_status(statement.status()));
  return result;
}

Result<CountResult> Index::count(const ListRequest& request) const {
  const auto query = parse_query(request.query);
  if (!query) return fail(query.error());
  const auto grouped = grouped_by_status(*query);
  if (!grouped) return fail(grouped.error());

  const auto reader = Reader::take(*impl_, request);
  if (!reader) return fail(reader.error());
  const auto where = where_clause(*query, Impl::attributes_of(request));
  if (!where) return fail(where.error());
  Statement statement = Statement::once(
      **reader, fmt::format("SELECT count(*){} FROM execution WHERE namespace_id = ? AND {}{}",
                            *grouped ? ", status" : "", where->text, *grouped ? " GROUP BY status" : ""));
  statement.bind(request.namespace_id);
  for (const SqlValue& value : where->parameters) statement.bind(value);

  CountResult result;
  while (statement.next()) {
    const auto rows = static_cast<std::uint64_t>(statement.integer(0));
    result.count += rows;
    if (*grouped) result.groups.push_back({status_name(statement.integer(1)), rows});
  }
  if (!statement.status().ok()) return fail(index_status(statement.status()));
  return result;
}

Result<UsedAttributes> Index::used_attributes() const {
  const auto reader = Reader::take(*impl_, {});
  if (!reader) return fail(reader.error());
  const auto any = (**reader).number("SELECT EXISTS(SELECT 1 FROM attribute_name)");
  if (!any) return fail(index_status(any.error()));
  if (*any == 0) return UsedAttributes();
  std::map<std::string, std::map<std::string, std::map<AttributeType, std::uint64_t>>> counted;
  Statement statement(**reader, "SELECT namespace_id, info FROM execution");
  pb::workflow::v1::WorkflowExecutionInfo info;
  while (statement.next()) {
    const std::string_view bytes = statement.view(1);
    if (!info.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    if (info.search_attributes().indexed_fields().empty()) continue;
    auto& names = counted[statement.text(0)];
    for (const auto& [name, payload] : info.search_attributes().indexed_fields()) {
      if (!is_reserved(name)) ++names[name][type_of(name, payload)];
    }
  }
  if (!statement.status().ok()) return fail(index_status(statement.status()));
  UsedAttributes used;
  for (const auto& [namespace_id, names] : counted) {
    for (const auto& [name, types] : names) {
      const auto most = std::max_element(types.begin(), types.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      used[namespace_id][name] = most->first;
    }
  }
  return used;
}

}  // namespace holdfast::visibility
