#include "visibility/writer.h"

#include <limits>

namespace holdfast::visibility {

using sqlite::Statement;

namespace {

std::int64_t nanoseconds(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::TimestampToNanoseconds(time);
}

constexpr sqlite::Literal kUpsert =
    "INSERT INTO execution(namespace_id, run_id, workflow_id, workflow_type, task_queue, status, start_time, "
    "execution_time, close_time, sort_time, history_length, history_size_bytes, state_transition_count, "
    "parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, info) "
    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,nullif(?14,''),nullif(?15,''),nullif(?16,''),nullif(?"
    "17,''),?18) "
    "ON CONFLICT(namespace_id, run_id) DO UPDATE SET workflow_id=?3, workflow_type=?4, task_queue=?5, "
    "status=?6, "
    "start_time=?7, execution_time=?8, close_time=?9, sort_time=?10, history_length=?11, "
    "history_size_bytes=?12, "
    "state_transition_count=?13, parent_workflow_id=nullif(?14,''), parent_run_id=nullif(?15,''), "
    "root_workflow_id=nullif(?16,''), root_run_id=nullif(?17,''), info=?18 RETURNING id";

}  // namespace

AttributeType type_of(const std::string& name, const pb::common::v1::Payload& payload) {
  if (const auto known = predefined_attribute(name)) return *known;
  const auto& metadata = payload.metadata();
  if (const auto found = metadata.find("type"); found != metadata.end()) {
    if (const auto type = attribute_type(found->second)) return *type;
  }
  const std::string& json = payload.data();
  const std::size_t first = json.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return AttributeType::kKeyword;
  switch (json[first]) {
    case '[': return AttributeType::kKeywordList;
    case 't':
    case 'f': return AttributeType::kBool;
    case '"': return AttributeType::kKeyword;
    default:
      return json.find_first_of(".eE") == std::string::npos ? AttributeType::kInt : AttributeType::kDouble;
  }
}

Status RowWriter::write(const Record& record) {
  if (record.info.empty()) return erase(record.namespace_id, record.run_id);
  Info info;
  if (!info.ParseFromString(record.info))
    return {Code::kInvalidArgument, "a visibility record does not parse"};
  const auto execution = upsert(record, info);
  if (!execution) return execution.error();
  Statement erase_attributes(db_, "DELETE FROM attribute WHERE execution = ?");
  if (Status status = erase_attributes.bind(*execution).run(); !status.ok()) return status;
  return write_attributes(record.namespace_id, *execution, info);
}

// The attributes go with their execution (a trigger).
Status RowWriter::erase(const std::string& namespace_id, const std::string& run_id) {
  ++erased_;
  return Statement(db_, "DELETE FROM execution WHERE namespace_id = ? AND run_id = ?")
      .bind(namespace_id, run_id)
      .run();
}

Result<std::int64_t> RowWriter::upsert(const Record& record, const Info& info) {
  std::optional<std::int64_t> close;
  if (info.has_close_time()) close = nanoseconds(info.close_time());
  const std::int64_t start = nanoseconds(info.start_time());
  Statement upsert(db_, kUpsert);
  upsert.bind(record.namespace_id, info.execution().run_id(), info.execution().workflow_id());
  upsert.bind(info.type().name(), info.task_queue(), info.status());
  upsert.bind(start, info.has_execution_time() ? nanoseconds(info.execution_time()) : start, close);
  upsert.bind(close.value_or(std::numeric_limits<std::int64_t>::max()));
  upsert.bind(info.history_length(), info.history_size_bytes(), info.state_transition_count());
  upsert.bind(info.parent_execution().workflow_id(), info.parent_execution().run_id());
  upsert.bind(info.root_execution().workflow_id(), info.root_execution().run_id());
  upsert.bind(sqlite::Blob(record.info));
  if (!upsert.next()) return fail(upsert.status());
  const std::int64_t id = upsert.integer(0);
  if (Status status = upsert.run(); !status.ok()) return fail(std::move(status));
  return id;
}

Status RowWriter::write_attributes(const std::string& namespace_id, std::int64_t execution,
                                   const Info& info) {
  for (const auto& [name, payload] : info.search_attributes().indexed_fields()) {
    const AttributeType type = type_of(name, payload);
    if (!predefined_attribute(name)) {
      Statement known(db_, "INSERT OR IGNORE INTO attribute_name(namespace_id, name, type) VALUES(?, ?, ?)");
      if (Status status = known.bind(namespace_id, name, type).run(); !status.ok()) return status;
    }
    if (Status status = write_attribute(execution, name, type, payload.data()); !status.ok()) return status;
  }
  return {};
}

Status RowWriter::write_attribute(std::int64_t execution, const std::string& name, AttributeType type,
                                  const std::string& json) {
  std::vector<SqlValue> stored;
  for (const SqlValue& value : json_values(json)) {
    const auto* text = std::get_if<std::string>(&value);
    if (type == AttributeType::kDatetime && text != nullptr) {
      if (const auto time = parse_time(*text)) stored.emplace_back(*time);
    } else if (type == AttributeType::kText && text != nullptr) {
      for (std::string& word : text_words(*text)) stored.emplace_back(std::move(word));
    } else {
      stored.push_back(value);
    }
  }
  for (const SqlValue& value : stored) {
    Statement insert(db_, "INSERT OR IGNORE INTO attribute(name, value, execution) VALUES(?, ?, ?)");
    if (Status status = insert.bind(name, value, execution).run(); !status.ok()) return status;
  }
  return {};
}

// A scalar, or the elements of an array. What is no JSON has no values: it is kept in the record, and not
// found by.
std::vector<SqlValue> RowWriter::json_values(const std::string& json) {
  if (json.empty()) return {};
  // What is not JSON, json_each calls an error of the statement.
  return Statement(db_, "SELECT atom FROM json_each(?) WHERE atom IS NOT NULL")
      .bind(json)
      .all([](const Statement& row) { return value_of(row, 0); })
      .value_or(std::vector<SqlValue>());
}

}  // namespace holdfast::visibility
