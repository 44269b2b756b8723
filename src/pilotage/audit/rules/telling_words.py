"""Words in names of columns that tell of people: English, German, French, Spanish; without accents.

Phrases are written together: *date of birth* is ``dateofbirth``.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Kind of personal data → phrases that name it.
PHRASES = {
    "email": _words("""
        email mail emailaddress mailaddress emailadresse mailadresse courriel correo correoelectronico
        adressemail emails
    """),
    "phone": _words("""
        phone telephone phonenumber mobile mobilenumber mobilephone cell cellphone cellnumber tel fax
        faxnumber telefon telefonnummer handy handynummer mobilnummer rufnummer telefono movil portable
        msisdn phoneno telno
    """),
    "iban": _words("""
        iban bankaccount bankaccountnumber kontonummer compte bancaire cuentabancaria rib
    """),
    "card": _words("""
        cardnumber cardno ccnumber creditcard creditcardnumber pan kreditkarte kreditkartennummer tarjeta
        numerotarjeta cartebancaire debitcard
    """),
    "national-id": _words("""
        ssn socialsecurity socialsecuritynumber passport passportnumber passportno nationalid idcard
        identitycard personalausweis ausweisnummer reisepass passnummer sozialversicherungsnummer svnummer
        steuerid taxid taxnumber taxpayerid nationalinsurance nino nhsnumber nif dni nie nir numerosecu
        numerosecuritesociale seguridadsocial pasaporte passeport driverlicense driverslicense
        drivinglicence fuehrerschein bsn pesel aadhaar cpf curp codicefiscale personnummer insee
    """),
    "ip": _words("""
        ip ipaddress ipaddr ipadresse clientip remoteip remoteaddr sourceip userip adresseip direccionip
    """),
    "mac": _words("""
        macaddress macaddr macadresse
    """),
    "online-id": _words("""
        imei imsi deviceid deviceuuid cookieid idfa gaid advertisingid adid androidid
    """),
    "name": _words("""
        firstname lastname surname fullname middlename maidenname givenname familyname forename vorname
        nachname familienname geburtsname kundenname patientenname prenom nomdefamille nomcomplet apellido
        apellidos primerapellido nombrecompleto customername clientname passengername patientname
        employeename personname contactname membername studentname guestname holdername accountholder
        cardholder cardholdername legalname preferredname recipientname sendername ownername drivername
        fname lname nombrecliente nomclient signatory
    """),
    "account-name": _words("""
        username userlogin login loginname nickname screenname benutzername nutzername utilisateur
        nombreusuario twitterhandle displayname
    """),
    "birth-date": _words("""
        birth birthdate birthday dateofbirth dob birthdt birthyear yearofbirth geburtsdatum geburtstag
        geburtsjahr gebdatum datenaissance naissance datedenaissance anneenaissance fechanacimiento
        nacimiento fechadenacimiento born
    """),
    "address": _words("""
        address street streetaddress streetname postaladdress homeaddress mailingaddress billingaddress
        shippingaddress adresse strasse hausnummer
        anschrift wohnort adressepostale rue direccion calle domicilio housenumber
        deliveryaddress addressline
    """),
    "post-code": _words("postcode postalcode zip zipcode postleitzahl plz codepostal codigopostal"),
    "licence-plate": _words("""
        licenseplate licenceplate numberplate kennzeichen nummernschild plaqueimmatriculation
        immatriculation matricula platenumber
    """),
    "income": _words("""
        salary wage wages income annualincome householdincome personalincome gehalt lohn einkommen salaire
        revenuannuel salario ingresos nomina
    """),
    "sex": _words("""
        sex gender geschlecht anrede sexe sexo genero civilite salutation
    """),
    "nationality": _words("""
        nationality nationalities citizenship countryofbirth birthplace placeofbirth birthcountry
        nationalitaet staatsangehoerigkeit staatsangehorigkeit nationalitat geburtsort geburtsland
        nationalite citoyennete lieunaissance paysnaissance nacionalidad ciudadania lugarnacimiento
        immigrationstatus immigrant visastatus
    """),
    "marital-status": _words("""
        marital maritalstatus married familienstand zivilstand situationfamiliale etatcivil statutmarital
        estadocivil civilstatus
    """),
    "ethnicity": _words("""
        race ethnicity ethnic ethnicgroup ethnicorigin racialorigin skincolor skincolour herkunft
        migrationshintergrund ethnie ethnizitat ethnizitaet originethnique origineethnique etnia raza
        hispanic caste mothertongue muttersprache
    """),
    "religion": _words("""
        religion religious religiousaffiliation konfession religionszugehoerigkeit kirchensteuer
        kirchensteuermerkmal church confession culte creencia creencias religionid
    """),
    "politics": _words("""
        politicalparty politicalopinion politicalaffiliation politicalview politicalviews partyaffiliation
        partei parteizugehoerigkeit parteimitglied politischemeinung opinionpolitique opinionspolitiques
        partipolitique partidopolitico opinionpolitica votingintention votedfor
    """),
    "union": _words("""
        tradeunion unionmember unionmembership uniondues laborunion labourunion gewerkschaft
        gewerkschaftsmitglied syndicat appartenancesyndicale sindicato afiliacionsindical
    """),
    "health": _words("""
        health healthstatus healthcondition healthdata medical medicalcondition medicalhistory medication
        medications diagnosis diagnoses diagnosiscode icd icdcode icd10 icd9 disease illness disability
        disabled handicap pregnancy pregnant bloodtype bloodgroup bloodpressure bmi hiv smoker symptom
        symptoms allergy allergies diabetes diabetic gesundheit gesundheitszustand diagnose krankheit
        krankheiten behinderung schwerbehinderung schwanger schwangerschaft medikament medikamente
        blutgruppe krankenkasse krankmeldung arbeitsunfaehig sante etatsante maladie grossesse enceinte
        groupesanguin traitementmedical salud enfermedad discapacidad embarazo embarazada diagnostico
        medicamento sickleave sickdays
    """),
    "sex-life": _words("""
        sexualorientation sexlife sexuality samesex sexuelleorientierung sexualleben sexualitaet
        orientationsexuelle viesexuelle orientacionsexual vidasexual lgbt lgbtq
    """),
    "biometric": _words("""
        biometric biometrics biometricid fingerprints faceid faceembedding facialimage voiceprint retina
        biometrie biometrisch fingerabdruck gesichtsbild biometrique empreintedigitale empreintesdigitales
        biometrico biometria huelladactilar reconnaissancefaciale
    """),
    "genetic": _words("""
        genetic genetics genome genotype dna gendaten genetisch genetique adn genetico
    """),
    "offence": _words("""
        conviction convictions criminalrecord criminal felony misdemeanor misdemeanour recidivism recid
        isrecid offense offence arrest arrests jail prison incarcerated vorstrafe vorstrafen straftat
        verurteilung casierjudiciaire condamnation antecedentespenales condena delito
    """),
}

PEOPLE = _words("""
    abonne adherent alumno applicant benutzer borrower buyer citizen client cliente contact cust customer debtor
    defendant donor driver emp empleado employee fahrgast guest holder insured kunde kunden member mitarbeiter
    mitglied nutzer owner paciente pasajero passenger patient patienten people person player policyholder pupil
    resident salarie socio staff student subscriber tenant usager user usuario versicherter visitor voter worker
""")
"""Who a column may be about."""

CODES = _words("""
    account code guid hash id identifier ids key no nr num number numero nummer pk pseudonym ref sk uuid
""")
"""What makes an identifier of the word before."""

PERSON_ALONE = _words("""
    abonne adherent alumno applicant benutzer borrower buyer citizen cliente cust customer debtor defendant
    donor empleado employee fahrgast guest insured kunde kunden mitarbeiter mitglied nutzer paciente pasajero
    passenger patient patienten person policyholder pupil resident salarie socio student subscriber tenant
    usager usuario versicherter visitor voter
""")
"""People whose bare word names a column of identifiers."""

PERSON_IDS = _words("""
    accountholderid clientid custid customerid employeeid frequentflyer frequentflyernumber guestid idclient
    idcliente kundenid kundennr kundennummer loyaltynumber matrikelnummer medicalrecordnumber memberid
    mitarbeiternummer mitgliedsnummer mrn numclient numeroclient numerocliente passengerid patientennummer
    patientid personalnummer personid studentid userid
""")
"""Identifiers of persons in one phrase."""

MAYBE_NAMES = _words("""
    ansprechpartner assignee auteur author autor bearbeiter client contact customer doctor driver employee guest
    manager name names nom nombre owner passenger patient physician responsable reviewer sachbearbeiter
    salesperson signed teacher vendedor vendeur verkaeufer
""")
"""Columns that often hold names of people, and as often of things: only their values can tell."""

OF_A_PERSON_ONLY = {
    "age": "age",
    "alter": "age",
    "edad": "age",
    "ages": "age",
    "race": "ethnicity",
    "sex": "sex",
    "cell": "phone",
    "mobile": "phone",
    "portable": "phone",
    "born": "birth-date",
    "married": "marital-status",
    "church": "religion",
    "compte": "iban",
    "pan": "card",
    "rib": "iban",
    "tarjeta": "card",
    "rue": "address",
    "retina": "biometric",
    "calle": "address",
    "handy": "phone",
    "handicap": "health",
    "nie": "national-id",
}
"""Phrases that count only alone or beside words of people: the age of a customer, not of an aircraft."""

HARMLESS_BESIDE = _words("""
    1 2 3 at band bin binned bracket bucket business cat category class clean code desc group groups grp home id
    in main no normalized nr number of other primary private range raw text value work year years yrs
""")
"""Words that may stand beside such a phrase."""

FIGURE_AFTER = _words("""
    anzahl app apps at attempts average avg bonus bounced brand budget bytes campaign cantidad carrier change
    changed check clicked clicks cnt consent cost costs count counts day days delivered domain enabled fee fees
    file files flag gateway hours index kind len length limit link lists max mean median min minutes missing
    model open opened opens opt optin optout os page pages path pct percent percentage plan preference preferred
    present price provider quote rank rate rates rating ratio required score sent server share size status
    subject subscribed sum summe system tasa taux tax template time timestamp total totals trend typ type
    unsubscribed url usage valid validated verified version views visits
""")
"""Last words that say that a column holds a figure about the thing, not the thing."""

FIGURE_BEFORE = _words("""
    anzahl average avg cantidad count days distinct had has have hours is max mean min minutes months n national
    nb net no nombre nr num number operating pct percent rate ratio share sum time total unique weeks years
""")
"""First words that say so."""
