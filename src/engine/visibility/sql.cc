#include "visibility/sql.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>

#include "base/text.h"

namespace holdfast::visibility {
namespace {

enum class ColumnType : std::uint8_t { kText, kInt, kTime, kStatus, kDuration };

struct Column {
  std::string_view name;
  std::string_view sql;
  ColumnType type;
};

constexpr std::array kColumns = {
    Column{"WorkflowId", "workflow_id", ColumnType::kText},
    Column{"RunId", "run_id", ColumnType::kText},
    Column{"WorkflowType", "workflow_type", ColumnType::kText},
    Column{"ExecutionStatus", "status", ColumnType::kStatus},
    Column{"StartTime", "start_time", ColumnType::kTime},
    Column{"ExecutionTime", "execution_time", ColumnType::kTime},
    Column{"CloseTime", "close_time", ColumnType::kTime},
    Column{"ExecutionDuration", "(close_time - execution_time)", ColumnType::kDuration},
    Column{"HistoryLength", "history_length", ColumnType::kInt},
    Column{"HistorySizeBytes", "history_size_bytes", ColumnType::kInt},
    Column{"StateTransitionCount", "state_transition_count", ColumnType::kInt},
    Column{"TaskQueue", "task_queue", ColumnType::kText},
    Column{"ParentWorkflowId", "parent_workflow_id", ColumnType::kText},
    Column{"ParentRunId", "parent_run_id", ColumnType::kText},
    Column{"RootWorkflowId", "root_workflow_id", ColumnType::kText},
    Column{"RootRunId", "root_run_id", ColumnType::kText},
};

// By number of WorkflowExecutionStatus.
constexpr std::array<std::string_view, 9> kStatusNames = {"Unspecified",    "Running",  "Completed",
                                                          "Failed",         "Canceled", "Terminated",
                                                          "ContinuedAsNew", "TimedOut", "Paused"};

const Column* column(std::string_view name) {
  for (const Column& c : kColumns) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

constexpr std::string_view comparator(Operator op) {
  switch (op) {
    case Operator::kEqual: return "=";
    case Operator::kNotEqual: return "!=";
    case Operator::kLess: return "<";
    case Operator::kGreater: return ">";
    case Operator::kLessOrEqual: return "<=";
    case Operator::kGreaterOrEqual: return ">=";
    default: return "";
  }
}

// Of a name in a message.
constexpr std::size_t kMaxShownBytes = 100;

// The highest code point: no text with the prefix sorts behind prefix + this.
constexpr std::string_view kHighest = "\xF4\x8F\xBF\xBF";

Result<SqlValue> status_value(const Literal& literal) {
  if (const auto* number = std::get_if<std::int64_t>(&literal.value)) return *number;
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    std::string plain;  // WORKFLOW_EXECUTION_STATUS_TIMED_OUT and TimedOut alike
    std::string_view rest = *text;
    constexpr std::string_view kPrefix = "WORKFLOW_EXECUTION_STATUS_";
    if (rest.starts_with(kPrefix)) rest.remove_prefix(kPrefix.size());
    for (char c : rest) {
      if (c != '_') plain.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
    for (std::size_t i = 1; i < kStatusNames.size(); ++i) {
      std::string lower;
      for (char c : kStatusNames[i])
        lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      if (plain == lower) return static_cast<std::int64_t>(i);
    }
  }
  return bad_query(literal.position,
                   "ExecutionStatus is one of 'Running', 'Completed', 'Failed', 'Canceled', "
                   "'Terminated', 'ContinuedAsNew', 'TimedOut'");
}

Result<SqlValue> time_value(const Literal& literal) {
  if (const auto* number = std::get_if<std::int64_t>(&literal.value)) return *number;
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    if (const auto time = parse_time(*text)) return *time;
  }
  return bad_query(literal.position, "a time is written as '2026-01-31T12:00:00Z'");
}

std::optional<std::int64_t> unit_nanoseconds(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "\xC2\xB5s") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  if (unit == "d") return 86'400'000'000'000;
  return std::nullopt;
}

// "1h30m", "1.5s", "01:30:00"
std::optional<std::int64_t> parse_duration(const std::string& text) {
  int hours = 0, minutes = 0, seconds = 0, used = 0;
  if (std::sscanf(text.c_str(), "%d:%2d:%2d%n", &hours, &minutes, &seconds, &used) == 3 &&
      static_cast<std::size_t>(used) == text.size() && hours >= 0 && hours < 1'000'000) {
    return ((std::int64_t{hours} * 60 + minutes) * 60 + seconds) * 1'000'000'000;
  }
  double total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = at;
    while (at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) != 0 || text[at] == '.'))
      ++at;
    if (at == begin || at - begin > 18) return std::nullopt;
    const double amount = std::strtod(text.substr(begin, at - begin).c_str(), nullptr);
    const std::size_t unit = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) == 0) ++at;
    const auto factor = unit_nanoseconds(std::string_view(text).substr(unit, at - unit));
    if (!factor) return std::nullopt;
    total += amount * static_cast<double>(*factor);
  }
  if (text.empty() || total > 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(total);
}

Result<SqlValue> duration_value(const Literal& literal) {
  if (const auto* number = std::get_if<std::int64_t>(&literal.value)) return *number;
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    if (const auto duration = parse_duration(*text)) return *duration;
  }
  return bad_query(literal.position, "a duration is written as '1h30m', '90s' or '01:30:00'");
}

Result<SqlValue> text_value(const Literal& literal) {
  if (const auto* text = std::get_if<std::string>(&literal.value)) return *text;
  return bad_query(literal.position, "text needs quotes here");
}

// A number, also one in quotes, as Temporal takes it.
Result<SqlValue> number_value(const Literal& literal) {
  if (const auto* whole = std::get_if<std::int64_t>(&literal.value)) return *whole;
  if (const auto* real = std::get_if<double>(&literal.value)) return *real;
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    if (const auto number = parse_number(*text))
      return std::visit([](auto value) -> SqlValue { return value; }, *number);
  }
  return bad_query(literal.position, "a number is needed here");
}

Result<SqlValue> bool_value(const Literal& literal) {
  if (const auto* truth = std::get_if<bool>(&literal.value)) return static_cast<std::int64_t>(*truth);
  if (const auto* text = std::get_if<std::string>(&literal.value)) {
    if (*text == "true") return std::int64_t{1};
    if (*text == "false") return std::int64_t{0};
  }
  return bad_query(literal.position, "true or false is needed here");
}

Result<SqlValue> column_value(ColumnType type, const Literal& literal) {
  switch (type) {
    case ColumnType::kText: return text_value(literal);
    case ColumnType::kInt: return number_value(literal);
    case ColumnType::kTime: return time_value(literal);
    case ColumnType::kStatus: return status_value(literal);
    case ColumnType::kDuration: return duration_value(literal);
  }
  return bad_query(literal.position, "no value of this kind");
}

Result<SqlValue> attribute_value(AttributeType type, const Literal& literal) {
  switch (type) {
    case AttributeType::kText:
    case AttributeType::kKeyword:
    case AttributeType::kKeywordList: return text_value(literal);
    case AttributeType::kInt:
    case AttributeType::kDouble: return number_value(literal);
    case AttributeType::kBool: return bool_value(literal);
    case AttributeType::kDatetime: return time_value(literal);
  }
  return bad_query(literal.position, "no value of this kind");
}

class Writer {
 public:
  explicit Writer(const AttributeLookup& attributes) : attributes_(attributes) {}

  Status write(const Expression& e) {
    switch (e.kind) {
      case Expression::Kind::kNot:
        sql_.text += "NOT (";
        if (Status status = write(e.operands.front()); !status.ok()) return status;
        sql_.text += ")";
        return {};
      case Expression::Kind::kAnd:
      case Expression::Kind::kOr:
        for (std::size_t i = 0; i < e.operands.size(); ++i) {
          sql_.text += i == 0 ? "(" : e.kind == Expression::Kind::kAnd ? " AND " : " OR ";
          if (Status status = write(e.operands[i]); !status.ok()) return status;
        }
        sql_.text += ")";
        return {};
      case Expression::Kind::kComparison: return comparison(e);
    }
    return {};
  }

  Sql take() { return std::move(sql_); }

 private:
  void parameter(SqlValue value) {
    sql_.text += "?";
    sql_.parameters.push_back(std::move(value));
  }

  Status comparison(const Expression& e) {
    if (const Column* c = column(e.name.text)) {
      std::vector<SqlValue> values;
      for (const Literal& literal : e.values) {
        auto value = column_value(c->type, literal);
        if (!value) return value.error();
        values.push_back(std::move(*value));
      }
      if (is_prefix(e.op) && c->type != ColumnType::kText) return no_prefix(e);
      condition(c->sql, e.op, values);
      return {};
    }
    const auto type = attributes_(e.name.text);
    if (!type) return unknown(e.name);
    return attribute(e, *type);
  }

  // In Temporal's words: clients know them.
  static Status unknown(const Name& name) {
    return {Code::kInvalidArgument,
            fmt::format("invalid query: invalid expression: column name '{}' is not a valid search attribute",
                        bounded_text(name.text, kMaxShownBytes))};
  }

  static bool is_prefix(Operator op) { return op == Operator::kStartsWith || op == Operator::kNotStartsWith; }

  static Status no_prefix(const Expression& e) {
    return bad_query(e.name.position, fmt::format("STARTS_WITH needs text, {} is none", e.name.text)).error();
  }

  void condition(std::string_view sql, Operator op, const std::vector<SqlValue>& values) {
    switch (op) {
      case Operator::kIsNull: sql_.text += fmt::format("{} IS NULL", sql); return;
      case Operator::kIsNotNull: sql_.text += fmt::format("{} IS NOT NULL", sql); return;
      case Operator::kIn:
      case Operator::kNotIn:
        sql_.text += fmt::format("{} {} (", sql, op == Operator::kIn ? "IN" : "NOT IN");
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (i != 0) sql_.text += ",";
          parameter(values[i]);
        }
        sql_.text += ")";
        return;
      case Operator::kBetween:
      case Operator::kNotBetween:
        sql_.text += fmt::format("({} {} ", sql, op == Operator::kBetween ? "BETWEEN" : "NOT BETWEEN");
        parameter(values[0]);
        sql_.text += " AND ";
        parameter(values[1]);
        sql_.text += ")";
        return;
      case Operator::kStartsWith:
      case Operator::kNotStartsWith: {
        const std::string& prefix = std::get<std::string>(values[0]);
        sql_.text += op == Operator::kStartsWith ? "(" : "NOT (";
        sql_.text += fmt::format("{} >= ", sql);
        parameter(prefix);
        sql_.text += fmt::format(" AND {} < ", sql);
        parameter(prefix + std::string(kHighest));
        sql_.text += ")";
        return;
      }
      default: sql_.text += fmt::format("{} {} ", sql, comparator(op)); parameter(values[0]);
    }
  }

  static constexpr std::string_view kRows =
      "SELECT 1 FROM attribute a WHERE a.execution = execution.id AND a.name = ";

  // A negative comparison holds where the attribute is set and no value of it matches the positive one.
  Status attribute(const Expression& e, AttributeType type) {
    std::vector<SqlValue> values;
    for (const Literal& literal : e.values) {
      auto value = attribute_value(type, literal);
      if (!value) return value.error();
      if (type == AttributeType::kText) {
        for (std::string& word : text_words(std::get<std::string>(*value)))
          values.emplace_back(std::move(word));
      } else {
        values.push_back(std::move(*value));
      }
    }
    const bool texts = type == AttributeType::kText || type == AttributeType::kKeyword ||
                       type == AttributeType::kKeywordList;
    if (is_prefix(e.op) && !texts) return no_prefix(e);
    const bool set_test = e.op == Operator::kIsNull || e.op == Operator::kIsNotNull;
    Operator positive = e.op;
    if (e.op == Operator::kNotEqual) positive = Operator::kEqual;
    if (e.op == Operator::kNotIn) positive = Operator::kIn;
    if (e.op == Operator::kNotBetween) positive = Operator::kBetween;
    if (e.op == Operator::kNotStartsWith) positive = Operator::kStartsWith;
    if (type == AttributeType::kText && !set_test) {
      if (positive != Operator::kEqual && positive != Operator::kIn) {
        return bad_query(e.name.position,
                         fmt::format("{} is a text: only =, !=, IN and IS NULL compare texts", e.name.text))
            .error();
      }
      positive = Operator::kIn;  // any of the words
    }
    if (set_test) {
      sql_.text += fmt::format("{} ({}", e.op == Operator::kIsNull ? "NOT EXISTS" : "EXISTS", kRows);
      parameter(e.name.text);
      sql_.text += ")";
      return {};
    }
    if (positive != e.op && type != AttributeType::kText) {
      sql_.text += fmt::format("(EXISTS ({}", kRows);
      parameter(e.name.text);
      sql_.text += ") AND NOT ";
    } else {
      const bool negated = e.op == Operator::kNotEqual || e.op == Operator::kNotIn;
      sql_.text += negated ? "(NOT " : "(";
    }
    sql_.text += fmt::format("EXISTS ({}", kRows);
    parameter(e.name.text);
    // SQLite orders all numbers before all texts.
    sql_.text += texts ? " AND typeof(a.value) = 'text' AND " : " AND typeof(a.value) != 'text' AND ";
    condition("a.value", positive, values);
    sql_.text += "))";
    return {};
  }

  const AttributeLookup& attributes_;
  Sql sql_;
};

}  // namespace

SqlValue value_of(const sqlite::Statement& row, int column) {
  switch (row.type(column)) {
    case sqlite::ColumnType::kInteger: return row.integer(column);
    case sqlite::ColumnType::kReal: return row.real(column);
    default: return row.text(column);
  }
}

Result<Sql> where_clause(const Query& query, const AttributeLookup& attributes) {
  if (!query.filtered) return Sql{"1", {}};
  Writer writer(attributes);
  if (Status status = writer.write(query.filter); !status.ok()) return fail(std::move(status));
  return writer.take();
}

Result<std::vector<SortKey>> sort_keys(const Query& query) {
  std::vector<SortKey> keys;
  std::set<const Column*> ordered;
  for (const Order& order : query.order_by) {
    const Column* c = column(order.name.text);
    if (c == nullptr) {
      return bad_query(order.name.position,
                       fmt::format("cannot order by \"{}\"; order by a system attribute such as StartTime",
                                   order.name.text.substr(0, 100)));
    }
    const bool number = c->type != ColumnType::kText;
    // A key that came before decides already.
    if (!ordered.insert(c).second) continue;
    // Open runs have no close time yet: they sort as the latest.
    keys.push_back(
        {c->sql == "close_time" ? "sort_time" : fmt::format("ifnull({}, {})", c->sql, number ? "0" : "''"),
         order.descending});
  }
  if (keys.empty()) keys = {{"sort_time", true}, {"start_time", true}};
  keys.push_back({"run_id", keys.back().descending});
  return keys;
}

Sql behind(const std::vector<SortKey>& keys, const std::vector<SqlValue>& values) {
  Sql sql;
  bool same_direction = true;
  for (const SortKey& key : keys)
    same_direction = same_direction && key.descending == keys.front().descending;
  if (same_direction) {  // a row value, which an index can answer
    std::string columns, marks;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      columns += (i == 0 ? "" : ", ") + keys[i].sql;
      marks += i == 0 ? "?" : ", ?";
      sql.parameters.push_back(values[i]);
    }
    sql.text = fmt::format("({}) {} ({})", columns, keys.front().descending ? "<" : ">", marks);
    return sql;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    sql.text += i == 0 ? "(" : " OR ";
    sql.text += "(";
    for (std::size_t j = 0; j < i; ++j) {
      sql.text += keys[j].sql + " = ? AND ";
      sql.parameters.push_back(values[j]);
    }
    sql.text += fmt::format("{} {} ?)", keys[i].sql, keys[i].descending ? "<" : ">");
    sql.parameters.push_back(values[i]);
  }
  sql.text += ")";
  return sql;
}

Result<bool> grouped_by_status(const Query& query) {
  if (query.group_by.empty()) return false;
  if (query.group_by.size() != 1 || query.group_by[0].text != "ExecutionStatus") {
    return bad_query(query.group_by[0].position, "only GROUP BY ExecutionStatus is supported");
  }
  return true;
}

std::string status_name(std::int64_t status) {
  if (status < 0 || static_cast<std::size_t>(status) >= kStatusNames.size()) return std::to_string(status);
  return std::string(kStatusNames[static_cast<std::size_t>(status)]);
}

std::vector<std::string> text_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      word.push_back(static_cast<char>(std::tolower(byte)));
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

}  // namespace holdfast::visibility
