#include "engine/namespaces.h"

#include "store/keys.h"

namespace holdfast::engine {

namespace keys = store::keys;

Status Namespaces::load(const store::KvStore& store) {
  return store.scan(keys::table_begin(keys::kStoreWide, keys::kNamespaceTable),
                    keys::table_end(keys::kStoreWide, keys::kNamespaceTable),
                    [this](std::string_view, std::string_view value) {
                      Record record;
                      if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
                      remember(std::move(record));
                      return true;
                    });
}

void Namespaces::add(Record record) {
  rows_.put(keys::namespace_record(record.name()), history::serialize(record));
  remember(std::move(record));
}

void Namespaces::remember(Record record) {
  names_[record.id()] = record.name();
  std::string name = record.name();
  by_name_[std::move(name)] = std::move(record);
}

const Namespaces::Record* Namespaces::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const Namespaces::Record* Namespaces::find_by_id(const std::string& id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? nullptr : find(found->second);
}

const std::string& Namespaces::name_of(const std::string& id) const {
  static const std::string kNone;
  const auto found = names_.find(id);
  return found == names_.end() ? kNone : found->second;
}

}  // namespace holdfast::engine
