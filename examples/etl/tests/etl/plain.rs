//! What should be in the tables, computed from the sample in the plainest way, and what is there.
//!
//! It knows the orders of the sample and nothing of schemas.

use serde_json::Value;

use crate::support::Bench;

/// The rows of the three tables, in order.
#[derive(Debug, PartialEq)]
pub(crate) struct Tables {
    pub(crate) orders: Vec<Vec<String>>,
    pub(crate) items: Vec<Vec<String>>,
    pub(crate) tags: Vec<Vec<String>>,
}

/// From the lines of an export.
pub(crate) fn computed(lines: &[String]) -> Tables {
    let mut tables = Tables { orders: vec![], items: vec![], tags: vec![] };
    for line in lines {
        let order: Value = serde_json::from_str(line).expect("valid JSON");
        let id = text(&order["_id"]["$oid"]);
        let customer = &order["customer"];
        tables.orders.push(vec![
            id.clone(),
            text(&order["number"]["$numberLong"]),
            millis(&order["placed_at"]["$date"]),
            text(&customer["name"]),
            text(&customer["email"]),
            text(&customer["address"]["city"]),
            text(&customer["address"]["country"]),
            order["paid"].to_string(),
            text(&order["total"]["$numberDecimal"]),
            order["weight"].as_f64().map_or("NULL".into(), |weight| weight.to_string()),
            if order["source"].is_null() { "NULL".into() } else { order["source"].to_string() },
            text(&order["note"]),
        ]);
        for (position, item) in order["items"].as_array().into_iter().flatten().enumerate() {
            let price = text(&item["price"]["$numberDecimal"]);
            let quantity = item["quantity"].to_string();
            let (sku, title) = (text(&item["sku"]), text(&item["title"]));
            tables.items.push(vec![id.clone(), position.to_string(), sku, title, quantity, price]);
        }
        for (position, tag) in order["tags"].as_array().into_iter().flatten().enumerate() {
            tables.tags.push(vec![id.clone(), position.to_string(), text(tag)]);
        }
    }
    [&mut tables.orders, &mut tables.items, &mut tables.tags].into_iter().for_each(|rows| rows.sort());
    tables
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("NULL").to_owned()
}

/// The sample has dates in two notations; milliseconds since 1970 are compared.
fn millis(date: &Value) -> String {
    match date.as_str() {
        Some(text) => text.parse::<jiff::Timestamp>().expect("a date").as_millisecond().to_string(),
        None => text(&date["$numberLong"]),
    }
}

/// From the database.
pub(crate) fn found(bench: &Bench) -> Tables {
    let mut orders = bench.rows(
        "SELECT id, number, placed_at, customer_name, customer_email, city, country, paid, total, weight, source, note \
         FROM orders",
    );
    for order in &mut orders {
        // Each database has its own way to print these.
        order[2] = date(&order[2]);
        order[7] = if matches!(order[7].as_str(), "1" | "t") { "true" } else { "false" }.into();
        if let Ok(weight) = order[9].parse::<f64>() {
            order[9] = weight.to_string();
        }
        if let Ok(source) = serde_json::from_str::<Value>(&order[10]) {
            order[10] = source.to_string();
        }
    }
    let items = bench.rows("SELECT orders_id, position, sku, title, quantity, price FROM order_items");
    let tags = bench.rows("SELECT orders_id, position, tag FROM order_tags");
    let mut tables = Tables { orders, items, tags };
    [&mut tables.orders, &mut tables.items, &mut tables.tags].into_iter().for_each(|rows| rows.sort());
    tables
}

fn date(text: &str) -> String {
    let text = text.replace(' ', "T").trim_end_matches("+00").trim_end_matches('Z').to_owned() + "Z";
    text.parse::<jiff::Timestamp>().expect("a date").as_millisecond().to_string()
}
