//! Declarators (C11 6.7.6): pointers, arrays and functions around a name, or around no name.
//!
//! The derivations of a declarator are pushed on a stack from the name outwards, and then applied to the base type in
//! reverse order, so nothing is parsed twice and nothing is allocated.

use crate::diagnostic::{Diagnostic, DiagnosticKind, Form};
use crate::keyword::{self, Keyword};
use crate::lexer::{Tok, Token};
use crate::message;
use crate::source::Span;
use crate::types::{
    ArrayLength, CallingConvention, FunctionType, MAX_TYPE_DEPTH, QualType, Qualifiers, Symbol,
    Type, TypeId, TypeTable,
};

use super::attribute::Attributes;
use super::specifiers::{Base, Place, Specifiers, starts_type};
use super::{Parse, Parser};

/// One step from the declared name towards its base type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Derivation {
    Pointer(Qualifiers),
    Array(Length, Span),
    /// The parameters are `parameters[start..start + count]`.
    Function {
        start: usize,
        count: usize,
        variadic: bool,
        stdcall: bool,
        span: Span,
    },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    Fixed(u64),
    Unspecified,
    Dots,
    /// In a parameter: a length that depends on other parameters.
    Variable,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(super) ty: QualType,
    pub(super) name: Option<Symbol>,
}

/// What kind of declarator is expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    /// A name is required.
    needs_name: bool,
    /// A name is allowed.
    may_name: bool,
    /// The declarator is a parameter, which is a pointer whatever its outermost array length is.
    parameter: bool,
    /// `[...]` is allowed.
    pub(super) partial_ok: bool,
}

impl Mode {
    pub(super) fn declaration() -> Self {
        Self {
            needs_name: true,
            may_name: true,
            parameter: false,
            partial_ok: true,
        }
    }
    /// A field, which may be an unnamed bit-field.
    pub(super) fn member() -> Self {
        Self::declaration()
    }
    pub(super) fn parameter() -> Self {
        Self {
            needs_name: false,
            may_name: true,
            parameter: true,
            partial_ok: false,
        }
    }
    /// A parameter of an old-style definition, which is declared behind the parentheses.
    pub(super) fn old_parameter() -> Self {
        Self {
            parameter: true,
            partial_ok: false,
            ..Self::declaration()
        }
    }
    /// A type string: CFFI allows a name in it.
    pub(super) fn parameter_like() -> Self {
        Self {
            parameter: false,
            ..Self::parameter()
        }
    }
    pub(super) fn type_name() -> Self {
        Self {
            may_name: false,
            ..Self::parameter_like()
        }
    }
}

/// A declarator together with its base type.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: Option<Symbol>,
    pub(super) ty: QualType,
    /// The base was one of CFFI's `...` forms; `ty` is then meaningless.
    pub(super) dots: Base,
    /// How the declarator derives from its base: not at all, by exactly one pointer, or otherwise.
    pub(super) shape: Shape,
    /// Names of the parameters, if it declares a function.
    pub(super) params: Vec<Option<Symbol>>,
    pub(super) attributes: Attributes,
    /// The place of the name, or where it would be.
    pub(super) span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Plain,
    Pointer,
    Derived,
}

/// The result of [`Parser::direct`] besides the derivations that it pushes.
struct Core {
    name: Option<Token>,
    /// `__stdcall` seen, and not yet given to a function.
    stdcall: bool,
}

impl Parser<'_> {
    /// Reads a declarator and applies it to the type of `specs`. The stacks are left as they were, also on errors.
    pub(super) fn declarator(&mut self, specs: &Specifiers, mode: Mode) -> Parse<Declared> {
        let marks = (
            self.derivations.len(),
            self.pointers.len(),
            self.parameters.len(),
        );
        let result = self.declarator_at(specs, mode, marks.0);
        self.derivations.truncate(marks.0);
        self.pointers.truncate(marks.1);
        self.parameters.truncate(marks.2);
        result
    }

    fn declarator_at(&mut self, specs: &Specifiers, mode: Mode, mark: usize) -> Parse<Declared> {
        let mut attributes = specs.attributes;
        let before = self.span();
        let core = self.direct(mode, specs.stdcall, mark, &mut attributes)?;
        self.attributes(&mut attributes)?;
        let span = core.name.map_or(before, |name| name.span(self.source));
        let shape = match &self.derivations[mark..] {
            [] => Shape::Plain,
            [Derivation::Pointer(_)] => Shape::Pointer,
            _ => Shape::Derived,
        };
        let mut params = Vec::new();
        if let Some(&Derivation::Function { start, count, .. }) = self.derivations.get(mark) {
            params.reserve_exact(count);
            let names = self.parameters[start..start + count].iter();
            params.extend(names.map(|parameter| parameter.name));
        }
        let ty = match specs.base {
            Base::Type(base) => {
                let base = match attributes.vector {
                    Some(size) => self.vector_of(base, size, span)?,
                    None => base,
                };
                let ty = self.apply(base, mark, mode)?;
                self.in_mode(ty, &attributes, span)?
            }
            _ => QualType::plain(TypeTable::VOID),
        };
        Ok(Declared {
            name: core.name.map(|name| name.symbol),
            ty,
            dots: specs.base,
            shape,
            params,
            attributes,
            span,
        })
    }

    /// The type that `__attribute__((mode(...)))` makes of `ty`.
    fn in_mode(&self, ty: QualType, attributes: &Attributes, span: Span) -> Parse<QualType> {
        let Some(mode) = attributes.mode else {
            return Ok(ty);
        };
        let made = match *self.decls.types.get(ty.ty) {
            Type::Primitive(primitive) => mode.apply(primitive, &self.decls.target),
            _ => None,
        };
        match made {
            Some(primitive) => Ok(QualType {
                ty: TypeTable::primitive_id(primitive),
                ..ty
            }),
            None => Err(Box::new(Diagnostic::ffi(span, message::MODE_HERE))),
        }
    }

    /// Whether the current token can be the declared name. Some keywords are names in older C.
    fn at_declarator_name(&self) -> bool {
        match self.tok() {
            Tok::Name => true,
            Tok::Keyword(_) => keyword::is_soft(self.text_of(self.tok)),
            _ => false,
        }
    }

    fn direct(
        &mut self,
        mode: Mode,
        mut stdcall: bool,
        mark: usize,
        attributes: &mut Attributes,
    ) -> Parse<Core> {
        self.descend()?;
        let pointer_mark = self.pointers.len();
        loop {
            match self.tok() {
                Tok::Star => {
                    self.bump();
                    let quals = self.pointer_qualifiers(&mut stdcall, attributes)?;
                    self.pointers.push(quals);
                }
                Tok::Keyword(Keyword::Stdcall) => {
                    stdcall = true;
                    self.bump();
                }
                Tok::Keyword(Keyword::Cdecl) => self.bump(),
                Tok::Keyword(Keyword::OtherConvention) => {
                    self.other_convention()?;
                    self.bump();
                }
                Tok::Keyword(Keyword::Attribute | Keyword::Declspec | Keyword::Extension) => {
                    self.attributes(attributes)?;
                }
                Tok::Ampersand | Tok::AndAnd => {
                    let diagnostic = self.unexpected(message::REFERENCE);
                    return Err(diagnostic);
                }
                _ => break,
            }
        }
        let mut core = Core {
            name: None,
            stdcall: false,
        };
        if mode.may_name && self.at_declarator_name() {
            core.name = Some(self.tok);
            self.bump();
        } else if self.at(Tok::LParen) && self.opens_group(mode) {
            self.bump();
            let inner = self.direct(mode, false, mark, attributes)?;
            self.expect(Tok::RParen, "')'")?;
            core.name = inner.name;
            stdcall |= inner.stdcall;
        } else if mode.needs_name {
            return Err(self.unexpected(message::EXPECTED_NAME));
        }
        loop {
            match self.tok() {
                Tok::LBracket if self.peek().tok == Tok::LBracket => {
                    self.bracket_attribute(attributes)?;
                }
                Tok::LBracket => {
                    let first = self.derivations.len() == mark;
                    let start = self.tok.start;
                    let length = self.array_length(mode, first)?;
                    let span = self.span_from(start);
                    self.derivations.push(Derivation::Array(length, span));
                }
                Tok::LParen => {
                    let derivation = self.parameter_list(mode, core.name, stdcall)?;
                    stdcall = false;
                    self.derivations.push(derivation);
                }
                _ => break,
            }
        }
        while self.pointers.len() > pointer_mark {
            if let Some(quals) = self.pointers.pop() {
                self.derivations.push(Derivation::Pointer(quals));
            }
        }
        core.stdcall = stdcall;
        self.ascend();
        Ok(core)
    }

    fn pointer_qualifiers(
        &mut self,
        stdcall: &mut bool,
        attributes: &mut Attributes,
    ) -> Parse<Qualifiers> {
        let mut quals = Qualifiers::NONE;
        loop {
            match self.tok() {
                Tok::Keyword(Keyword::Const) => quals = quals.union(Qualifiers::CONST),
                Tok::Keyword(Keyword::Volatile) => quals = quals.union(Qualifiers::VOLATILE),
                Tok::Keyword(Keyword::Restrict) => quals = quals.union(Qualifiers::RESTRICT),
                Tok::Keyword(Keyword::Atomic) => quals = quals.union(Qualifiers::ATOMIC),
                Tok::Keyword(Keyword::Stdcall) => *stdcall = true,
                Tok::Keyword(Keyword::Nullability) if !self.is_cffi_only() => {}
                Tok::LBracket if self.peek().tok == Tok::LBracket && !self.is_cffi_only() => {
                    self.bracket_attribute(attributes)?;
                    continue;
                }
                Tok::Keyword(Keyword::Cdecl) => {}
                Tok::Keyword(Keyword::OtherConvention) => self.other_convention()?,
                Tok::Keyword(Keyword::Attribute | Keyword::Declspec | Keyword::Extension) => {
                    self.attributes(attributes)?;
                    continue;
                }
                _ => return Ok(quals),
            }
            self.bump();
        }
    }

    /// Whether the `(` here groups a declarator, rather than opening a parameter list (C11 6.7.6.3p11).
    fn opens_group(&mut self, mode: Mode) -> bool {
        let next = self.peek();
        match next.tok {
            Tok::Star | Tok::LParen | Tok::LBracket | Tok::Ampersand | Tok::AndAnd => true,
            Tok::Name => mode.needs_name || !self.is_type_name(next.symbol),
            Tok::Keyword(
                Keyword::Stdcall
                | Keyword::Cdecl
                | Keyword::OtherConvention
                | Keyword::Attribute
                | Keyword::Declspec,
            ) => true,
            Tok::Keyword(keyword) => mode.needs_name && !starts_type(keyword),
            _ => false,
        }
    }

    /// A type name (C11 6.7.7), as in a cast.
    pub(super) fn type_name(&mut self) -> Parse<QualType> {
        self.descend()?;
        let specs = self.specifiers(Place::TypeName)?;
        let declared = self.declarator(&specs, Mode::type_name())?;
        self.ascend();
        Ok(declared.ty)
    }

    /// Reads an array derivator `[n]` whose bracket is the current token. `first`: it is the derivation nearest to the
    /// name.
    fn array_length(&mut self, mode: Mode, first: bool) -> Parse<Length> {
        self.bump();
        if mode.parameter && first {
            // `[static 5]`, `[const]`, `[*]`, `[n]`: the parameter is a pointer whatever is in the brackets.
            let mut open = 0u32;
            while !(open == 0 && self.at(Tok::RBracket)) {
                match self.tok() {
                    Tok::LBracket | Tok::LParen => open += 1,
                    Tok::RBracket | Tok::RParen => open = open.saturating_sub(1),
                    Tok::Ellipsis => return Err(self.dots_array()),
                    Tok::Eof | Tok::Semicolon | Tok::LBrace | Tok::RBrace | Tok::Unterminated => {
                        return Err(self.unexpected(message::expected("']'")));
                    }
                    _ => {}
                }
                self.bump();
            }
            self.bump();
            return Ok(Length::Unspecified);
        }
        let length = match self.tok() {
            Tok::RBracket => Length::Unspecified,
            Tok::Ellipsis => {
                if !mode.partial_ok {
                    return Err(self.dots_array());
                }
                self.bump();
                Length::Dots
            }
            _ if mode.parameter && self.is_variable_length() => {
                while !self.at(Tok::RBracket) {
                    if matches!(self.tok(), Tok::LParen | Tok::LBracket) {
                        self.skip_balanced()?;
                    } else {
                        self.bump();
                    }
                }
                Length::Variable
            }
            _ => {
                let start = self.tok.start;
                let value = self.constant_expression()?.value;
                let Ok(length) = u64::try_from(value) else {
                    let span = self.span_from(start);
                    return Err(Box::new(
                        Diagnostic::new(
                            DiagnosticKind::Value,
                            Form::Plain,
                            span,
                            message::NEGATIVE_LENGTH,
                        )
                        .short("expected a positive integer constant"),
                    ));
                };
                Length::Fixed(length)
            }
        };
        if !self.at(Tok::RBracket) {
            return Err(Box::new(
                self.unexpected(message::expected("']'"))
                    .short("expected ']'"),
            ));
        }
        self.bump();
        Ok(length)
    }

    /// Whether the length at the current token is `*`, or names a parameter: only a call determines it (C11 6.7.6.2p4).
    /// As in CFFI, the cdef of an FFI has no such lengths.
    fn is_variable_length(&mut self) -> bool {
        if self.as_cffi {
            return false;
        }
        let (mut ahead, mut token, mut open) = (self.lexer, self.tok, 0u32);
        if token.tok == Tok::Star && self.peek().tok == Tok::RBracket {
            return true;
        }
        let mut found = false;
        loop {
            match token.tok {
                Tok::Name => {
                    found |= self
                        .parameters
                        .iter()
                        .any(|parameter| parameter.name == Some(token.symbol));
                }
                Tok::LBracket | Tok::LParen => open += 1,
                Tok::RBracket if open == 0 => return found,
                Tok::RBracket | Tok::RParen => open = open.saturating_sub(1),
                Tok::Eof | Tok::Semicolon | Tok::LBrace | Tok::RBrace | Tok::Unterminated => {
                    return false;
                }
                _ => {}
            }
            token = ahead.next(&mut self.decls.types);
        }
    }

    fn dots_array(&mut self) -> Box<Diagnostic> {
        Box::new(Diagnostic::ffi(self.span(), message::DOTS_ARRAY))
    }

    /// Reads the parameter list behind a declarator. The parameters are left on the stack.
    fn parameter_list(
        &mut self,
        mode: Mode,
        function: Option<Token>,
        stdcall: bool,
    ) -> Parse<Derivation> {
        self.descend()?;
        let open = self.span();
        self.bump();
        let start = self.parameters.len();
        if mode.needs_name && start == 0 && self.at_identifier_list() {
            self.old_parameters()?;
        }
        let mut variadic = false;
        while !self.at(Tok::RParen) {
            if self.at(Tok::Ellipsis) {
                if self.parameters.len() == start {
                    let name = function.map_or("in expression", |name| self.text_of(name));
                    let span = function.map_or(self.span(), |name| name.span(self.source));
                    return Err(Box::new(Diagnostic::cdef(
                        span,
                        message::only_variadic(name),
                    )));
                }
                variadic = true;
                self.bump();
                break;
            }
            let parameter = self.parameter(function, self.parameters.len() - start + 1)?;
            self.parameters.push(parameter);
            if !self.eat(Tok::Comma) {
                break;
            }
            if self.at(Tok::RParen) {
                return Err(self.unexpected(message::expected("a parameter")));
            }
        }
        if !self.at(Tok::RParen) {
            return Err(Box::new(
                self.unexpected(message::expected("',' or ')'"))
                    .short("expected ')'"),
            ));
        }
        self.bump();
        if let [only] = self.parameters[start..]
            && only.ty.ty == TypeTable::VOID
            && !variadic
        {
            self.parameters.truncate(start);
        }
        let void = self.parameters[start..]
            .iter()
            .any(|parameter| parameter.ty.ty == TypeTable::VOID);
        let span = self.span_from(open.start);
        if void {
            return Err(Box::new(Diagnostic::cdef(span, message::PARAMETER_OF_VOID)));
        }
        self.ascend();
        Ok(Derivation::Function {
            start,
            count: self.parameters.len() - start,
            variadic,
            stdcall,
            span,
        })
    }

    fn parameter(&mut self, function: Option<Token>, number: usize) -> Parse<Parameter> {
        if self.at(Tok::Name)
            && !self.is_type_name(self.tok.symbol)
            && crate::predefined::lookup(self.tok.symbol).is_none()
            && matches!(self.peek().tok, Tok::Comma | Tok::RParen)
        {
            let function = function.map_or("in expression", |name| self.text_of(name));
            let name = self.text_of(self.tok).to_owned();
            let message = message::unknown_argument_type(function, number, &name);
            let similar = self.suggest_type(&name);
            return Err(Box::new(
                Diagnostic::cdef(self.span(), message)
                    .maybe_hint(similar.map(|similar| message::did_you_mean(&similar)))
                    .short("undefined type name"),
            ));
        }
        let specs = self.specifiers(Place::Parameter)?;
        let declared = self.declarator(&specs, Mode::parameter())?;
        // Qualifiers of the parameter itself are no part of the function's type.
        Ok(Parameter {
            ty: QualType::plain(self.adjusted(declared.ty)),
            name: declared.name,
        })
    }

    /// The type of a parameter that is declared as `ty` (C11 6.7.6.3p7 and p8).
    pub(super) fn adjusted(&mut self, ty: QualType) -> TypeId {
        match *self.decls.types.get(ty.ty) {
            Type::Array { item, .. } => self.decls.types.pointer_to(item),
            Type::Function(_) => self.decls.types.pointer_to(QualType::plain(ty.ty)),
            _ => ty.ty,
        }
    }

    /// Applies the derivations above `mark` to `base`.
    fn apply(&mut self, base: QualType, mark: usize, mode: Mode) -> Parse<QualType> {
        // `[...]` is allowed only where a C expression can measure the array: in arrays of arrays, not behind pointers
        // or functions.
        let hidden = self.derivations[mark..]
            .iter()
            .position(|derivation| !matches!(derivation, Derivation::Array(..)))
            .map_or(usize::MAX, |position| mark + position);
        let mut ty = base;
        // The derivation applied last was an array whose length only a call determines.
        let mut variable = false;
        for index in (mark..self.derivations.len()).rev() {
            let derivation = self.derivations[index];
            let is_array = matches!(derivation, Derivation::Array(..));
            if variable && is_array && (index > mark || !mode.parameter) {
                // An array of such arrays has no type outside of the call: the parameter becomes a `void *`.
                ty = QualType::plain(TypeTable::VOID);
                continue;
            }
            if is_array && ty.ty == TypeTable::VOID && variable {
                ty = QualType::plain(self.decls.types.pointer_to(ty));
                continue;
            }
            variable = matches!(derivation, Derivation::Array(Length::Variable, _));
            ty = match self.derivations[index] {
                Derivation::Pointer(quals) => QualType {
                    quals,
                    ..QualType::plain(self.decls.types.pointer_to(ty))
                },
                Derivation::Array(length, span) => {
                    if matches!(length, Length::Dots) && (index > hidden || !mode.partial_ok) {
                        return Err(Box::new(Diagnostic::ffi(span, message::DOTS_ARRAY)));
                    }
                    self.array_of(ty, length, span)?
                }
                Derivation::Function {
                    start,
                    count,
                    variadic,
                    stdcall,
                    span,
                } => self.function_returning(ty, start..start + count, variadic, stdcall, span)?,
            };
            if self.decls.types.depth(ty.ty) > MAX_TYPE_DEPTH {
                return Err(Box::new(
                    Diagnostic::cdef(self.span(), message::TOO_DEEP)
                        .short("internal type complexity limit reached"),
                ));
            }
        }
        Ok(ty)
    }

    fn array_of(&mut self, item: QualType, length: Length, span: Span) -> Parse<QualType> {
        match self.decls.types.get(item.ty) {
            Type::Function(_) => {
                return Err(Box::new(Diagnostic::cdef(
                    span,
                    message::ARRAY_OF_FUNCTIONS,
                )));
            }
            Type::Void => {
                let kind = DiagnosticKind::Value;
                let diagnostic = Diagnostic::new(kind, Form::Plain, span, message::ARRAY_OF_VOID);
                return Err(Box::new(diagnostic));
            }
            _ => {}
        }
        let length = match length {
            Length::Fixed(length) => ArrayLength::Fixed(length),
            Length::Unspecified | Length::Variable => ArrayLength::Unspecified,
            Length::Dots => {
                let number = self.decls.types.compiler_lengths.len() as u32;
                self.decls.types.compiler_lengths.push(None);
                ArrayLength::FromCompiler(number)
            }
        };
        Ok(QualType::plain(
            self.decls.types.intern(Type::Array { item, length }),
        ))
    }

    fn function_returning(
        &mut self,
        result: QualType,
        params: std::ops::Range<usize>,
        variadic: bool,
        stdcall: bool,
        span: Span,
    ) -> Parse<QualType> {
        match self.decls.types.get(result.ty) {
            Type::Array { .. } => {
                let mut diagnostic = Diagnostic::cdef(span, message::FUNCTION_RETURNS_ARRAY);
                if self.is_type_string {
                    diagnostic.kind = DiagnosticKind::Type;
                }
                return Err(Box::new(diagnostic));
            }
            Type::Function(_) => {
                return Err(Box::new(Diagnostic::cdef(
                    span,
                    message::FUNCTION_RETURNS_FUNCTION,
                )));
            }
            _ => {}
        }
        let convention = if stdcall && self.decls.target.stdcall {
            CallingConvention::Stdcall
        } else {
            CallingConvention::Cdecl
        };
        let function = FunctionType {
            // Qualifiers of a result mean nothing (C17 6.7.6.3p5).
            result: QualType::plain(result.ty),
            params: self.parameters[params]
                .iter()
                .map(|parameter| parameter.ty)
                .collect(),
            variadic,
            convention,
        };
        let ty = self.decls.types.intern(Type::Function(Box::new(function)));
        Ok(QualType::plain(ty))
    }
}
