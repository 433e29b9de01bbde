// Goal: a namespace that was added is there, under its name and its id, now and after a restart. Method:
// added, committed, loaded by another.

#include "engine/namespaces.h"

#include <gtest/gtest.h>

#include "sim/memory_store.h"

namespace holdfast::engine {
namespace {

Namespaces::Record record(const std::string& id, const std::string& name) {
  Namespaces::Record record;
  record.set_id(id);
  record.set_name(name);
  return record;
}

TEST(NamespacesTest, IsFoundByNameAndId) {
  sim::MemoryStore store;
  Rows rows(store);
  Namespaces namespaces(rows);
  namespaces.add(record("id-1", "payments"));
  ASSERT_NE(namespaces.find("payments"), nullptr);
  EXPECT_EQ(namespaces.find("payments")->id(), "id-1");
  ASSERT_NE(namespaces.find_by_id("id-1"), nullptr);
  EXPECT_EQ(namespaces.name_of("id-1"), "payments");
  EXPECT_EQ(namespaces.find("id-1"), nullptr);
  EXPECT_EQ(namespaces.find_by_id("payments"), nullptr);
  EXPECT_EQ(namespaces.name_of("id-2"), "");
}

TEST(NamespacesTest, IsThereAfterARestart) {
  sim::MemoryStore store;
  {
    Rows rows(store);
    Namespaces namespaces(rows);
    namespaces.add(record("id-1", "payments"));
    namespaces.add(record("id-2", "search"));
    store::WriteBatch batch;
    for (const auto& [key, value] : rows.take()) batch.put(key, *value);
    ASSERT_TRUE(store.commit(batch).ok());
  }
  Rows rows(store);
  Namespaces namespaces(rows);
  ASSERT_TRUE(namespaces.load(store).ok());
  EXPECT_EQ(namespaces.size(), 2u);
  EXPECT_EQ(namespaces.name_of("id-2"), "search");
  EXPECT_FALSE(rows.changed()) << "loading writes nothing";
}

}  // namespace
}  // namespace holdfast::engine
