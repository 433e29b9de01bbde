#pragma once

// Namespaces: all of them, in memory, by name and by id. Bounded by EngineLimits::namespaces, which whoever
// adds one asks for. The core owns it; its thread only.

#include <map>
#include <string>

#include "engine/rows.h"
#include "history/stored.h"
#include "holdfast/status.h"
#include "store/kv_store.h"

namespace holdfast::engine {

class Namespaces {
 public:
  using Record = history::stored::NamespaceRecord;

  explicit Namespaces(Rows& rows) : rows_(rows) {}

  // Those of the store. Once, when the core opens it.
  Status load(const store::KvStore& store);
  // Also into the next batch. Its name and id are new.
  void add(Record record);

  // One that is there, with other contents.
  void update(Record record);

  // Null: no such namespace. Valid for the life of the core: nothing is ever removed.
  const Record* find(const std::string& name) const;
  const Record* find_by_id(const std::string& id) const;
  // Empty: no such namespace.
  const std::string& name_of(const std::string& id) const;
  std::size_t size() const { return by_name_.size(); }
  const std::map<std::string, Record>& by_name() const { return by_name_; }

 private:
  void remember(Record record);

  Rows& rows_;
  std::map<std::string, Record> by_name_;
  std::map<std::string, std::string> names_;  // by id
};

}  // namespace holdfast::engine
