#pragma once

// Turns records into rows. Belongs to the index, which calls it under its write lock inside a transaction.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sqlite/statement.h"
#include "visibility/index.h"
#include "visibility/sql.h"

namespace holdfast::visibility {

// The type a payload says it has, else the one its JSON shows: strings are keywords, arrays keyword lists.
// What came after names had to be registered says it.
AttributeType type_of(const std::string& name, const pb::common::v1::Payload& payload);

class RowWriter {
 public:
  explicit RowWriter(sqlite::Database& db) : db_(db) {}

  Status write(const Record& record);
  // Runs that went since the last call.
  std::size_t take_erased() { return std::exchange(erased_, 0); }

 private:
  using Info = pb::workflow::v1::WorkflowExecutionInfo;
  Status erase(const std::string& namespace_id, const std::string& run_id);
  Result<std::int64_t> upsert(const Record& record, const Info& info);
  Status write_attributes(const std::string& namespace_id, std::int64_t execution, const Info& info);
  Status write_attribute(std::int64_t execution, const std::string& name, AttributeType type,
                         const std::string& json);
  std::vector<SqlValue> json_values(const std::string& json);

  sqlite::Database& db_;
  std::size_t erased_ = 0;
};

}  // namespace holdfast::visibility
