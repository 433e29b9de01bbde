#pragma once

// Turns records into rows. Belongs to the index, which calls it under its write lock inside a transaction.

#include <map>
#include <string>
#include <vector>

#include "visibility/index.h"
#include "visibility/sqlite.h"

namespace holdfast::visibility {

class RowWriter {
 public:
  static Result<std::unique_ptr<RowWriter>> create(sqlite3* db);

  Status write(const Record& record);

 private:
  RowWriter() = default;

  using Info = pb::workflow::v1::WorkflowExecutionInfo;
  Status erase(const std::string& namespace_id, const std::string& run_id);
  Result<std::int64_t> upsert(const Record& record, const Info& info);
  Status write_attributes(const std::string& namespace_id, std::int64_t execution, const Info& info);
  Status write_attribute(std::int64_t execution, const std::string& name, AttributeType type,
                         const std::string& json);
  Result<std::vector<SqlValue>> json_values(const std::string& json);

  std::optional<Statement> upsert_, erase_, erase_attributes_, attribute_, attribute_name_, json_;
};

}  // namespace holdfast::visibility
