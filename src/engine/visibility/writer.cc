#include "visibility/writer.h"

#include <limits>

namespace holdfast::visibility {
namespace {

std::int64_t nanoseconds(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::TimestampToNanoseconds(time);
}

constexpr std::string_view kUpsert =
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

// The type a payload says it has, else the one its JSON shows: strings are keywords, arrays keyword lists.
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

}  // namespace

Result<std::unique_ptr<RowWriter>> RowWriter::create(sqlite3* db) {
  std::unique_ptr<RowWriter> writer(new RowWriter());
  const std::pair<std::optional<Statement>*, std::string_view> statements[] = {
      {&writer->upsert_, kUpsert},
      {&writer->erase_, "DELETE FROM execution WHERE namespace_id = ? AND run_id = ?"},
      {&writer->erase_attributes_, "DELETE FROM attribute WHERE execution = ?"},
      {&writer->attribute_, "INSERT OR IGNORE INTO attribute(name, value, execution) VALUES(?, ?, ?)"},
      {&writer->attribute_name_,
       "INSERT OR REPLACE INTO attribute_name(namespace_id, name, type) VALUES(?, ?, ?)"},
      {&writer->json_, "SELECT atom FROM json_each(?) WHERE atom IS NOT NULL"},
  };
  for (const auto& [target, sql] : statements) {
    auto statement = Statement::prepare(db, sql);
    if (!statement) return fail(statement.error());
    target->emplace(std::move(*statement));
  }
  return writer;
}

Status RowWriter::write(const Record& record) {
  if (record.info.empty()) return erase(record.namespace_id, record.run_id);
  Info info;
  if (!info.ParseFromString(record.info))
    return {Code::kInvalidArgument, "a visibility record does not parse"};
  const auto execution = upsert(record, info);
  if (!execution) return execution.error();
  erase_attributes_->bind(1, *execution);
  if (Status status = erase_attributes_->run(); !status.ok()) return status;
  return write_attributes(record.namespace_id, *execution, info);
}

// The attributes go with their execution (a trigger).
Status RowWriter::erase(const std::string& namespace_id, const std::string& run_id) {
  erase_->bind(1, std::string_view(namespace_id)).bind(2, std::string_view(run_id));
  return erase_->run();
}

Result<std::int64_t> RowWriter::upsert(const Record& record, const Info& info) {
  std::optional<std::int64_t> close;
  if (info.has_close_time()) close = nanoseconds(info.close_time());
  const std::int64_t start = nanoseconds(info.start_time());
  using Text = std::string_view;
  Statement& s = *upsert_;
  s.bind(1, Text(record.namespace_id))
      .bind(2, Text(info.execution().run_id()))
      .bind(3, Text(info.execution().workflow_id()));
  s.bind(4, Text(info.type().name())).bind(5, Text(info.task_queue())).bind(6, std::int64_t{info.status()});
  s.bind(7, start)
      .bind(8, info.has_execution_time() ? nanoseconds(info.execution_time()) : start)
      .bind(9, close);
  s.bind(10, close.value_or(std::numeric_limits<std::int64_t>::max()));
  s.bind(11, info.history_length())
      .bind(12, info.history_size_bytes())
      .bind(13, info.state_transition_count());
  s.bind(14, Text(info.parent_execution().workflow_id())).bind(15, Text(info.parent_execution().run_id()));
  s.bind(16, Text(info.root_execution().workflow_id())).bind(17, Text(info.root_execution().run_id()));
  s.bind_blob(18, record.info);
  auto row = s.step();
  if (!row) return fail(row.error());
  const std::int64_t id = s.integer(0);
  if (Status status = s.run(); !status.ok()) return fail(std::move(status));
  return id;
}

Status RowWriter::write_attributes(const std::string& namespace_id, std::int64_t execution,
                                   const Info& info) {
  for (const auto& [name, payload] : info.search_attributes().indexed_fields()) {
    const AttributeType type = type_of(name, payload);
    if (!predefined_attribute(name)) {
      attribute_name_->bind(1, std::string_view(namespace_id)).bind(2, std::string_view(name));
      attribute_name_->bind(3, static_cast<std::int64_t>(type));
      if (Status status = attribute_name_->run(); !status.ok()) return status;
    }
    if (Status status = write_attribute(execution, name, type, payload.data()); !status.ok()) return status;
  }
  return {};
}

Status RowWriter::write_attribute(std::int64_t execution, const std::string& name, AttributeType type,
                                  const std::string& json) {
  const auto values = json_values(json);
  if (!values) return values.error();
  std::vector<SqlValue> stored;
  for (const SqlValue& value : *values) {
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
    attribute_->bind(1, std::string_view(name)).bind(2, value).bind(3, execution);
    if (Status status = attribute_->run(); !status.ok()) return status;
  }
  return {};
}

// A scalar, or the elements of an array. What is no JSON has no values: it is kept in the record, and not
// found by.
Result<std::vector<SqlValue>> RowWriter::json_values(const std::string& json) {
  std::vector<SqlValue> values;
  if (json.empty()) return values;
  json_->bind(1, std::string_view(json));
  for (;;) {
    const auto row = json_->step();
    if (!row) {
      // Not JSON: json_each says so as an error of the statement.
      return std::vector<SqlValue>();
    }
    if (!*row) break;
    values.push_back(json_->value(0));
  }
  json_->reset();
  return values;
}

}  // namespace holdfast::visibility
