//! The names of the rules. Those that the field's registry has are named as there, so that tools which read them go on working.

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A rule of compatibility that a schema can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that stays, `errorType` of the Schema Registry API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

rules! {
    // every format
    /// The schema is of another format.
    SchemaTypeChanged = "SCHEMA_TYPE_CHANGED",
    /// The schemas refer to themselves in so many ways that they were not compared to the end. Ours: bounded time comes first.
    ComparisonTooLarge = "COMPARISON_TOO_LARGE",
    // Avro
    /// A named type has another name, and no alias says that it is the same.
    NameMismatch = "NAME_MISMATCH",
    /// A fixed has another size.
    FixedSizeMismatch = "FIXED_SIZE_MISMATCH",
    /// The reader's enum lacks a symbol of the writer's, and has no default.
    MissingEnumSymbols = "MISSING_ENUM_SYMBOLS",
    /// The reader has a field that the writer lacks, without a default.
    ReaderFieldMissingDefaultValue = "READER_FIELD_MISSING_DEFAULT_VALUE",
    /// A type that cannot be promoted to the reader's.
    TypeMismatch = "TYPE_MISMATCH",
    /// The reader's union has no branch for a type of the writer's.
    MissingUnionBranch = "MISSING_UNION_BRANCH",
    // JSON Schema
    /// A schema where there was none.
    SchemaAdded = "SCHEMA_ADDED",
    /// `number` became `integer`.
    TypeNarrowed = "TYPE_NARROWED",
    /// Another type.
    TypeChanged = "TYPE_CHANGED",
    /// `maxLength` was added.
    MaxLengthAdded = "MAX_LENGTH_ADDED",
    /// `maxLength` became smaller.
    MaxLengthDecreased = "MAX_LENGTH_DECREASED",
    /// `minLength` was added.
    MinLengthAdded = "MIN_LENGTH_ADDED",
    /// `minLength` became larger.
    MinLengthIncreased = "MIN_LENGTH_INCREASED",
    /// `pattern` was added.
    PatternAdded = "PATTERN_ADDED",
    /// `pattern` is another.
    PatternChanged = "PATTERN_CHANGED",
    /// `maximum` was added.
    MaximumAdded = "MAXIMUM_ADDED",
    /// `maximum` became smaller.
    MaximumDecreased = "MAXIMUM_DECREASED",
    /// `minimum` was added.
    MinimumAdded = "MINIMUM_ADDED",
    /// `minimum` became larger.
    MinimumIncreased = "MINIMUM_INCREASED",
    /// `exclusiveMaximum` was added.
    ExclusiveMaximumAdded = "EXCLUSIVE_MAXIMUM_ADDED",
    /// `exclusiveMaximum` became smaller.
    ExclusiveMaximumDecreased = "EXCLUSIVE_MAXIMUM_DECREASED",
    /// `exclusiveMinimum` was added.
    ExclusiveMinimumAdded = "EXCLUSIVE_MINIMUM_ADDED",
    /// `exclusiveMinimum` became larger.
    ExclusiveMinimumIncreased = "EXCLUSIVE_MINIMUM_INCREASED",
    /// `multipleOf` was added.
    MultipleOfAdded = "MULTIPLE_OF_ADDED",
    /// `multipleOf` became a multiple of what it was.
    MultipleOfExpanded = "MULTIPLE_OF_EXPANDED",
    /// `multipleOf` is another.
    MultipleOfChanged = "MULTIPLE_OF_CHANGED",
    /// A property that was there became required, without a default.
    RequiredAttributeAdded = "REQUIRED_ATTRIBUTE_ADDED",
    /// `maxProperties` was added.
    MaxPropertiesAdded = "MAX_PROPERTIES_ADDED",
    /// `maxProperties` became smaller.
    MaxPropertiesDecreased = "MAX_PROPERTIES_DECREASED",
    /// `minProperties` was added.
    MinPropertiesAdded = "MIN_PROPERTIES_ADDED",
    /// `minProperties` became larger.
    MinPropertiesIncreased = "MIN_PROPERTIES_INCREASED",
    /// `additionalProperties` became false.
    AdditionalPropertiesRemoved = "ADDITIONAL_PROPERTIES_REMOVED",
    /// `additionalProperties` became a schema.
    AdditionalPropertiesNarrowed = "ADDITIONAL_PROPERTIES_NARROWED",
    /// `unevaluatedProperties` became false.
    UnevaluatedPropertiesRemoved = "UNEVALUATED_PROPERTIES_REMOVED",
    /// `unevaluatedProperties` became a schema.
    UnevaluatedPropertiesNarrowed = "UNEVALUATED_PROPERTIES_NARROWED",
    /// A property demands others now.
    DependencyArrayAdded = "DEPENDENCY_ARRAY_ADDED",
    /// A property demands more others.
    DependencyArrayExtended = "DEPENDENCY_ARRAY_EXTENDED",
    /// A property demands different others.
    DependencyArrayChanged = "DEPENDENCY_ARRAY_CHANGED",
    /// A property demands a schema now.
    DependencySchemaAdded = "DEPENDENCY_SCHEMA_ADDED",
    /// A required property where anything was allowed.
    RequiredPropertyAddedToOpenContentModel = "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
    /// A required property with a default where anything was allowed.
    RequiredPropertyWithDefaultAddedToOpenContentModel = "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL",
    /// A property where anything was allowed under its name.
    OptionalPropertyAddedToOpenContentModel = "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
    /// A required property without a default.
    RequiredPropertyAddedToUnopenContentModel = "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
    /// A property is gone, and none beside the named ones are allowed.
    PropertyRemovedFromClosedContentModel = "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
    /// A property is gone, and what is allowed under its name is something else.
    PropertyRemovedNotCoveredByPartiallyOpenContentModel = "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    /// A property is new, and under its name something else was allowed.
    PropertyAddedNotCoveredByPartiallyOpenContentModel = "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    /// `maxItems` was added.
    MaxItemsAdded = "MAX_ITEMS_ADDED",
    /// `maxItems` became smaller.
    MaxItemsDecreased = "MAX_ITEMS_DECREASED",
    /// `minItems` was added.
    MinItemsAdded = "MIN_ITEMS_ADDED",
    /// `minItems` became larger.
    MinItemsIncreased = "MIN_ITEMS_INCREASED",
    /// `maxContains` was added.
    MaxContainsAdded = "MAX_CONTAINS_ADDED",
    /// `maxContains` became smaller.
    MaxContainsDecreased = "MAX_CONTAINS_DECREASED",
    /// `minContains` was added.
    MinContainsAdded = "MIN_CONTAINS_ADDED",
    /// `minContains` became larger.
    MinContainsIncreased = "MIN_CONTAINS_INCREASED",
    /// `uniqueItems` was added.
    UniqueItemsAdded = "UNIQUE_ITEMS_ADDED",
    /// Items beyond the listed ones are forbidden now.
    AdditionalItemsRemoved = "ADDITIONAL_ITEMS_REMOVED",
    /// Items beyond the listed ones must fit a schema now.
    AdditionalItemsNarrowed = "ADDITIONAL_ITEMS_NARROWED",
    /// `unevaluatedItems` became false.
    UnevaluatedItemsRemoved = "UNEVALUATED_ITEMS_REMOVED",
    /// `unevaluatedItems` became a schema.
    UnevaluatedItemsNarrowed = "UNEVALUATED_ITEMS_NARROWED",
    /// A listed item where anything was allowed.
    ItemAddedToOpenContentModel = "ITEM_ADDED_TO_OPEN_CONTENT_MODEL",
    /// A listed item is gone, and none beyond the list are allowed.
    ItemRemovedFromClosedContentModel = "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL",
    /// A listed item is gone, and what is allowed in its place is something else.
    ItemRemovedNotCoveredByPartiallyOpenContentModel = "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    /// A listed item is new, and something else was allowed in its place.
    ItemAddedNotCoveredByPartiallyOpenContentModel = "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
    /// Values of `enum` are gone.
    EnumArrayNarrowed = "ENUM_ARRAY_NARROWED",
    /// Values of `enum` (or `const`) are others.
    EnumArrayChanged = "ENUM_ARRAY_CHANGED",
    /// `allOf`, `anyOf`, `oneOf`: one became another that allows less.
    CombinedTypeChanged = "COMBINED_TYPE_CHANGED",
    /// `allOf` has more parts.
    ProductTypeExtended = "PRODUCT_TYPE_EXTENDED",
    /// `anyOf` or `oneOf` has fewer parts.
    SumTypeNarrowed = "SUM_TYPE_NARROWED",
    /// Parts of `allOf`, `anyOf` or `oneOf` do not match any more.
    CombinedTypeSubschemasChanged = "COMBINED_TYPE_SUBSCHEMAS_CHANGED",
    /// `not` forbids more.
    NotTypeExtended = "NOT_TYPE_EXTENDED",
    // Protobuf
    /// A message is gone.
    MessageRemoved = "MESSAGE_REMOVED",
    /// A number is a scalar, a message or a map, and was another of the three.
    FieldKindChanged = "FIELD_KIND_CHANGED",
    /// A number is a scalar that is written in another way.
    FieldScalarKindChanged = "FIELD_SCALAR_KIND_CHANGED",
    /// A number is another message.
    FieldNamedTypeChanged = "FIELD_NAMED_TYPE_CHANGED",
    /// A number or enum became repeated, or was.
    FieldNumericLabelChanged = "FIELD_NUMERIC_LABEL_CHANGED",
    /// A required field is new.
    RequiredFieldAdded = "REQUIRED_FIELD_ADDED",
    /// A required field is gone.
    RequiredFieldRemoved = "REQUIRED_FIELD_REMOVED",
    /// A field of a oneof is gone.
    OneofFieldRemoved = "ONEOF_FIELD_REMOVED",
    /// Fields that could be set together share a oneof now.
    MultipleFieldsMovedToOneof = "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
    /// A field moved into a oneof that has other old fields.
    FieldMovedToExistingOneof = "FIELD_MOVED_TO_EXISTING_ONEOF",
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
